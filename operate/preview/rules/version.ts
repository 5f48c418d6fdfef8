/** Which Vault the nodes run, and which the release's image is. */
import { valueAt } from "../../../components/values-file.ts";
import { isOlder, versionNumbers } from "../../../steps/lib/vault-version.ts";
import { cause, type Explained, inRow } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/**
 * A node that would be taken back to an older Vault: the step rollout refuses that (steps/lib/rollout-versions.ts), and
 * the release would be changed by then.
 */
export function downgrade({ changes, release, running, commands }: Plan): Explained[] {
  const rolls = changes.some(
    ({ name, op }) => op === "update" && /^(vault-release|lifecycle-rollout)$/.test(name),
  );
  const tag = valueAt(release?.after ?? {}, "server.image.tag");
  if (!rolls || typeof tag !== "string") return [];
  const known = running.nodes.filter((node) => node.version !== undefined);
  if (versionNumbers(tag) === undefined) {
    const runs = [...new Set(known.map(({ version }) => version))].join(", ");
    return [
      {
        verdict: "disruptive",
        says: `Whether the image is an older Vault than the one that runs is not known: its tag, ${tag}, says no version.`,
        because: [`the nodes run ${runs === "" ? "a version that is not known either" : runs}`],
        covers: [],
      },
    ];
  }
  const newer = known.filter(({ version = "" }) => isOlder(tag, version) === true);
  const [first] = newer;
  if (first === undefined) return [];
  return [
    {
      verdict: "destructive",
      says: `${inRow(newer.map(({ name }) => name))} would be taken back to an older Vault, which does not read what a newer one may have stored.`,
      because: [cause("Vault", first.version, tag)],
      covers: [],
      refused: {
        why: `Vault has no way back to an older version in place. Put the image of ${first.version}, or a newer one, back into the values (server.image.tag), or take it out of them. To have the older one all the same, raise another stack with it, and bring the data there by other means.`,
        next: [commands.up],
      },
    },
  ];
}
