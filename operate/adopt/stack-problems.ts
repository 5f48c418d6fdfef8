/** Whether the program takes the settings and values that a stack would have with a Vault that was made by hand. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { podTls } from "../../components/pod-tls.ts";
import { vaultValues } from "../../components/vault-values.ts";
import { readSettings } from "../../config.ts";
import type { Sources } from "../../sources.ts";
import { type Adoption, settled } from "./adoption.ts";
import type { Found } from "./found.ts";

/**
 * One problem for each setting and value that would be refused, after it is too late, by the update.
 * @param texts the stack's settings as its file has them
 * @param folder for a file that is there while this looks
 */
export function stackProblems(
  { settings: changed, values }: Adoption,
  texts: Record<string, string>,
  { release, volumes }: Found,
  { source, namespace, folder }: { source: Sources["vault"]; namespace: string; folder: string },
): string[] {
  const { settings, problems } = readSettings(settled(texts, changed));
  if (settings === undefined) return problems;
  const { vault, raft, audit, telemetry } = settings;
  if (audit.enabled && volumes.audit === undefined)
    problems.push(
      "audit.enabled: the nodes have no volume for an audit log, and a StatefulSet that stands cannot be given one.\n    pulumi config rm audit.enabled",
    );
  const draft = join(folder, `values.tmp-${process.pid}.yaml`);
  writeFileSync(draft, stringify(values));
  try {
    const found = vaultValues({
      ...vault,
      existing: true,
      audit: audit.enabled,
      telemetry: telemetry.enabled,
      performanceMultiplier: raft.performanceMultiplier,
      image: source.image,
      tls: podTls(vault.tls),
      ownFile: draft,
    }).problems.map((problem) => problem.replace(draft, "values of Helm's release"));
    problems.push(...found);
    if (found.length > 0)
      problems.push(
        `Values are changed so, which starts no pod anew:\n    helm get values vault --namespace ${namespace} --output yaml > values.yaml\n    helm upgrade vault hashicorp/vault --version ${release?.chart.version} --namespace ${namespace} --values values.yaml`,
      );
  } finally {
    rmSync(draft, { force: true });
  }
  return problems;
}
