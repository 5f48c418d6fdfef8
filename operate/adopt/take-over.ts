/** Makes a Vault that was found, and whose shares are proved, the stack's own. What is done here can be done again. */
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { stackLabel } from "../../components/cluster.ts";
import { checkout } from "../../setup/folders.ts";
import { pulumi } from "../../setup/pulumi.ts";
import type { Stack } from "../../setup/stack.ts";
import { keysPath, readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { currentRevision, revisionLabel } from "../../steps/lib/rolling-pods.ts";
import { until, within } from "../../steps/lib/wait.ts";
import type { Adoption } from "./adoption.ts";
import type { Found, Place } from "./found.ts";
import { findRelease } from "./release-note.ts";

/** The values file of a stack that goes on with a Vault made by hand, relative to the checkout. It holds no secret. */
export const adoptedValues = (stack: string) => `adopted-${stack}.yaml`;

/** Keys that are proved. */
interface ProvedKeys {
  shares: string[];
  threshold: number;
  rootToken: string;
}

interface TakenOver {
  found: Found;
  adoption: Adoption;
  /** Settings that somebody gave beside those of the stack's file. */
  flagged: Record<string, string>;
  keys: ProvedKeys;
}

/** Writes the keys down first, for a token that was just made is nowhere else; then values and settings; then the label. */
export async function takeOver(
  stack: Stack,
  { found, adoption, flagged, keys }: TakenOver,
  place: Place,
  say: (line: string) => void,
): Promise<void> {
  const [first] = found.pods;
  const known = await readKeys(stack.dir);
  const now = new Date().toISOString();
  const { shares, threshold, rootToken } = keys;
  await writeKeys(stack.dir, {
    version: 1,
    stack: stack.name,
    pod: first?.name ?? "vault-0",
    ...(first?.store !== undefined && { pvcUid: first.store }),
    intendedAt: known?.intendedAt ?? now,
    threshold,
    // When it was initialised is not known.
    answer: { shares, rootToken, initialisedAt: known?.answer?.initialisedAt ?? now },
    adoptedAt: known?.adoptedAt ?? now,
  });
  say(`its keys are in ${keysPath(relative(checkout, stack.dir))}, readable by you alone`);
  const file = adoptedValues(stack.name);
  const head = "# Values that were given to Helm by hand, of the Vault that npm run adopt has taken over.";
  writeFileSync(join(checkout, file), `${head}\n${stringify(adoption.values)}`);
  await stack.create(say);
  await writeSettings(stack, { ...flagged, ...adoption.settings, "vault.valuesFile": file });
  say(`its values are in ${file}, which the stack's settings name now`);
  await copyNotes(stack, place, found.release?.secrets ?? []);
  const { kube, namespace, signal } = place;
  const labels = { [stackLabel]: stack.name };
  // Last: a namespace with this label and a journal that says "adopted" are what a run that was cut off goes on from.
  await kube.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels } }, signal);
  say(`the namespace ${namespace} has the label ${stackLabel}=${stack.name}`);
}

/** Writes a stack's settings; undefined for one that it must not have. All in one go, so that the file is never half of it. */
export async function writeSettings(stack: Stack, settings: Adoption["settings"]): Promise<void> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const gone = Object.keys(settings).filter((key) => settings[key] === undefined);
  const plain = given.flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
  await pulumi(stack.env, ["config", "set-all", ...plain, "--stack", stack.name]);
  if (gone.length > 0) await pulumi(stack.env, ["config", "rm-all", ...gone, "--stack", stack.name]);
}

const Secret = z.looseObject({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});

/** Keeps Helm's notes so that `kubectl replace --force` puts them back: without what belongs to the objects that stand. */
export async function copyNotes(
  stack: Stack,
  { kube, namespace, signal }: Place,
  names: string[],
): Promise<void> {
  for (const name of names) {
    const secret = await kube.get(`/api/v1/namespaces/${namespace}/secrets/${name}`, Secret, signal);
    if (secret === undefined) continue;
    writeFileSync(join(stack.dir, `${name}.json`), JSON.stringify(secret, null, 2), { mode: 0o600 });
  }
}

/**
 * Takes Helm's notes of the release away, of which copies are kept. Pulumi's install goes over objects that carry the
 * release's name, but not over the notes ("cannot re-use a name that is still in use").
 */
export async function removeNotes({ kube, namespace, signal }: Place): Promise<void> {
  const release = await findRelease(kube, namespace, "vault", signal);
  for (const name of release?.secrets ?? [])
    await kube.delete(`/api/v1/namespaces/${namespace}/secrets/${name}`, signal);
}

/** The pods, of these, that were made from an older template than the release has now. */
export async function olderPods(
  { kube, namespace, signal }: Place,
  pods: readonly string[],
): Promise<string[]> {
  const step = within({ say: console.error, signal }, 60);
  const revision = await until("the template", () => currentRevision(kube, namespace, signal), step);
  const found = await Promise.all(pods.map((pod) => getPod(kube, namespace, pod, signal)));
  return found
    .filter(({ metadata }) => metadata.labels?.[revisionLabel] !== revision)
    .map(({ metadata }) => metadata.name);
}
