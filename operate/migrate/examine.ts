/** Looks at a Standalone, and at what a stack that goes on with it would be. Changes nothing. */

import { relative } from "node:path";
import { podTls } from "../../components/pod-tls.ts";
import { vaultValues } from "../../components/vault-values.ts";
import { readSettings, type Settings } from "../../config.ts";
import { CommandError } from "../../setup/command.ts";
import { checkout, local } from "../../setup/folders.ts";
import { rightsProblems } from "../../setup/preflight-existing.ts";
import { missingRights, rightsInWords } from "../../setup/rights.ts";
import type { Stack } from "../../setup/stack.ts";
import { loadSources } from "../../sources.ts";
import { kubeconfigPath } from "../../steps/lib/cluster.ts";
import { keysPath, readKeys } from "../../steps/lib/keys-file.ts";
import type { Road } from "../../steps/lib/road.ts";
import { settled } from "../adopt/adoption.ts";
import { bringsItsShares } from "../adopt/examine.ts";
import type { Place } from "../adopt/found.ts";
import { findStandalone, type Standalone } from "./found.ts";
import { standaloneProblems } from "./problems.ts";

/** One that can be brought over, as far as can be seen without its shares. */
export interface Examined {
  found: Standalone;
  road: Road;
  /** What the stack's settings become, by key. */
  settings: Record<string, string>;
}

/** @throws CommandError that lists every problem */
export async function examineStandalone(
  stack: Stack,
  { settings, texts, keepsData }: { settings: Settings; texts: Record<string, string>; keepsData: boolean },
  place: Place,
): Promise<Examined> {
  const stackDir = relative(checkout, stack.dir);
  const { kube, namespace, signal } = place;
  const stands = { namespaceStands: true, delegates: true };
  const lacking = await rightsProblems(kube, { settings, stack: stack.name, stackDir }, stands, signal);
  // What only this wants: a pod on the volume.
  const pods = {
    apiGroups: [""] as [string],
    resources: ["pods"] as [string],
    verbs: ["create"],
  };
  const more = await missingRights(kube, namespace, { namespace: [pods], cluster: [] }, signal);
  const kubectl = `kubectl --namespace ${namespace} create`;
  for (const right of keepsData ? rightsInWords(more, namespace) : [])
    lacking.push(
      `the login lacks a right that only this needs: ${right}. Somebody who may grant it types:\n    ${kubectl} role vault-migrate --verb=create --resource=pods && ${kubectl} rolebinding vault-migrate --role=vault-migrate --user=<the login's name>`,
    );
  // Who may not look cannot say what else is wrong.
  refuse(lacking);
  const { found, road } = await findStandalone(kubeconfigPath(stackDir), place);
  const source = loadSources(local.sources).vault;
  const version = source.image.tag;
  const problems = standaloneProblems(found, { stack: stack.name, namespace, version, keepsData });
  if ((await readKeys(stack.dir)) !== undefined)
    problems.push(`${keysPath(stackDir)} has the keys of another Vault.\n    ls -l ${stackDir}`);
  if (keepsData && texts["custody.mode"] === "pgp") problems.push(bringsItsShares);
  const data = found.volumes.find(({ name }) => name === "data");
  const changed = {
    "vault.namespace": namespace,
    ...(keepsData &&
      found.vault && { "vault.shares": String(found.vault.n), "vault.threshold": String(found.vault.t) }),
    ...(data && { "vault.storageSize": data.size }),
    ...(data?.storageClass && { "vault.storageClass": data.storageClass }),
  };
  problems.push(...(await updateProblems(settled(texts, changed), source)));
  refuse(problems);
  return { found, road, settings: changed };
}

/** What the update would refuse, when the Standalone is gone already. */
async function updateProblems(
  texts: Record<string, string>,
  source: ReturnType<typeof loadSources>["vault"],
): Promise<string[]> {
  const { settings, problems } = readSettings(texts);
  if (settings === undefined) return problems;
  const { vault, raft, audit, telemetry } = settings;
  const { valuesFile } = vault;
  return vaultValues({
    ...vault,
    existing: true,
    audit: audit.enabled,
    telemetry: telemetry.enabled,
    performanceMultiplier: raft.performanceMultiplier,
    image: source.image,
    tls: podTls(vault.tls),
    ...(valuesFile !== undefined && { ownFile: valuesFile }),
  }).problems;
}

/** Throws where there is any problem. */
export function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new CommandError(
    `This Standalone cannot be migrated as it is. Nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}
