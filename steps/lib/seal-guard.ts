/** The seal of a Vault that is initialised is changed by a migration and by nothing else: looked at before an update. */
import { z } from "zod";
import { type SealSeen, sealIn } from "../../components/vault-seal.ts";
import { StepError } from "./errors.ts";
import { readKeys } from "./keys-file.ts";
import { openKube } from "./kube.ts";
import { wayTo } from "./pod.ts";
import { getPod } from "./pods.ts";
import { openRoad } from "./reach.ts";
import type { Target } from "./target.ts";
import { Vault } from "./vault.ts";

/** The ConfigMap that the chart makes of Vault's configuration, and its key in there. */
const configMap = "vault-config";
const ConfigMap = z.object({ data: z.object({ "extraconfig-from-values.hcl": z.string().optional() }) });

/**
 * @param wanted the seal that the stack's settings ask for
 * @throws StepError where the nodes have another one and hold something. Nothing has been changed
 */
export async function refuseOtherSeal(
  target: Target,
  nodes: readonly string[],
  wanted: SealSeen,
  signal: AbortSignal,
): Promise<void> {
  const found = await sealConfigured(target, nodes, signal);
  if (found === undefined || found.key === wanted.key || !(await isInitialised(target, nodes, signal)))
    return;
  throw new StepError(otherSealWords(found.key, wanted.key), putBack(found, wanted, target.stack));
}

/** Why an update does not do it. */
export function otherSealWords(from: string, to: string): string {
  return `the seal of a Vault that is initialised cannot be changed by a setting: its nodes are sealed by ${words(from)}, and the settings say ${words(to)}. With the new configuration none of them would be unsealed again. Nothing was changed. A migration does it, node by node, by hand (docs/seal.md, Migration); the settings follow`;
}

const words = (key: string) => (key === "shamir" ? "key shares (shamir)" : key);

/** The command that goes on as before, where one does. */
export function putBack(
  { type }: Pick<SealSeen, "type">,
  wanted: Pick<SealSeen, "type">,
  stack: string,
): string {
  if (type === "shamir") return `pulumi config rm vault.seal.type --stack ${stack}`;
  if (type !== wanted.type) return `pulumi config set vault.seal.type ${type} --stack ${stack}`;
  return `git diff Pulumi.${stack}.yaml`;
}

/**
 * The seal that the nodes have: on Kubernetes by the configuration that they read when they are started, else by what
 * they say. undefined where there are none, or it is not known here.
 */
export async function sealConfigured(
  target: Target,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<SealSeen | undefined> {
  const { reach } = target;
  if (reach.kind === "kubernetes") {
    const kube = await openKube(reach.kubeconfig);
    const path = `/api/v1/namespaces/${reach.namespace}/configmaps/${configMap}`;
    const text = (await kube.get(path, ConfigMap, signal))?.data["extraconfig-from-values.hcl"];
    return text === undefined ? undefined : sealIn(text);
  }
  for (const node of nodes) {
    const status = await statusOf(target, node, signal);
    if (status !== undefined) return { type: status.type as SealSeen["type"], key: status.type };
  }
  return undefined;
}

/** A node that cannot reach its seal does not answer: then the journal, or its own label, says what it was. */
async function isInitialised(
  target: Target,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if ((await readKeys(target.stackDir))?.answer !== undefined) return true;
  const looks = nodes.map(async (node) => {
    const status = await statusOf(target, node, signal);
    return status?.initialized ?? (await labelled(target, node, signal));
  });
  return (await Promise.all(looks)).includes(true);
}

async function statusOf(target: Target, node: string, signal: AbortSignal) {
  const way =
    target.reach.kind === "direct"
      ? target
      : await podOf(target, node, signal).then((pod) => pod && wayTo(target, pod));
  if (way === undefined) return undefined;
  const vault = new Vault(await openRoad(way), node, { signal });
  return await vault
    .sealStatus()
    .catch(() => undefined)
    .finally(() => vault.close());
}

async function podOf({ reach }: Target, node: string, signal: AbortSignal) {
  if (reach.kind !== "kubernetes") return undefined;
  return await getPod(await openKube(reach.kubeconfig), reach.namespace, node, signal).catch(() => undefined);
}

async function labelled(target: Target, node: string, signal: AbortSignal): Promise<boolean> {
  return (await podOf(target, node, signal))?.metadata.labels?.["vault-initialized"] === "true";
}
