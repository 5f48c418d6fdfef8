/** Opens a Vault whose storage has just become another's, with that one's keys, and makes them the stack's. */
import { NotYet, StepError } from "../../steps/lib/errors.ts";
import { keepAside, readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { sealedBySeal, sealType } from "../../steps/lib/self-unseal.ts";
import { unsealNode } from "../../steps/lib/unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { SealStatus } from "../../steps/lib/vault-answers.ts";
import { until, within } from "../../steps/lib/wait.ts";
import type { GivenKeys } from "../adopt/given-keys.ts";
import { proveShares } from "../adopt/prove-shares.ts";
import type { Begun } from "./begun.ts";
import type { Plan } from "./plan.ts";
import { type Proved, prove } from "./prove.ts";
import { type Restoring, vaultsWith } from "./restoring.ts";

/**
 * Unseals every node, keeps the journal of the former Vault aside, and writes one with the keys that open this one.
 * @throws StepError where the shares do not open it
 */
export async function openWith(
  original: GivenKeys,
  plan: Plan,
  begun: Begun,
  restoring: Restoring,
): Promise<Proved> {
  const { fromCluster, timeoutSeconds, keys: before } = restoring;
  const vaults = vaultsWith(restoring, undefined);
  const step = within(restoring, timeoutSeconds);
  /** Nodes with a seal that were started anew, so that they ask it once more. */
  const started = new Set<string>();
  const open = async () => {
    for (const vault of vaults)
      if (before.seal !== undefined) await awaitSeal(vault, started, restoring);
      else await openNode(vault, original, plan.facts.seal?.threshold, restoring);
    const strangers: string[] = [];
    for (const { node, status } of await statuses(vaults))
      if (status.sealed || status.cluster_id !== fromCluster)
        strangers.push(`${node} ${status.sealed ? "is sealed" : `is of ${status.cluster_id}`}`);
    if (strangers.length > 0) throw new NotYet(strangers.join("; "));
  };
  const next = `npm run restore ${plan.file} -- --stack ${restoring.stack} --from-cluster ${fromCluster}`;
  try {
    await until(`every node to be of ${fromCluster}`, open, step, next);
  } finally {
    for (const vault of vaults) vault.close();
  }
  const keys = await keepKeys(original, begun, restoring);
  return await prove(plan, keys.rootToken, restoring);
}

/** A node with a seal unseals itself when it is started; one that a snapshot has sealed does not ask again. */
async function awaitSeal(vault: Vault, started: Set<string>, restoring: Restoring): Promise<void> {
  const status = await vault.sealStatus();
  if (!status.initialized || !status.sealed) return;
  if (!started.has(vault.node)) {
    restoring.say(`${vault.node} is sealed: it is started anew, and its seal ${status.type} unseals it`);
    await restoring.restart(vault.node);
    started.add(vault.node);
  }
  throw await sealedBySeal(vault, status);
}

/** A node that has not got the snapshot yet is unsealed, and seals itself when it does. */
async function openNode(
  vault: Vault,
  { shares, threshold }: GivenKeys,
  wanted: number | undefined,
  restoring: Restoring,
): Promise<void> {
  const status = await vault.sealStatus();
  if (!status.initialized || !status.sealed) return;
  if (wanted !== undefined && status.t !== wanted) {
    restoring.say(
      `${vault.node} still goes by ${status.t} shares, and the snapshot's Vault wants ${wanted}: it is started anew`,
    );
    await restoring.restart(vault.node);
    throw new NotYet(`${vault.node} is being started anew`);
  }
  if (shares.length < status.t)
    throw new StepError(
      `${vault.node} wants ${status.t} shares, and ${shares.length} were given. Nothing is lost: the same command goes on, with enough of them`,
    );
  const { say, signal, timeoutSeconds } = restoring;
  const named = within({ say: (line) => say(`${vault.node} ${line}`), signal }, timeoutSeconds);
  await unsealNode(vault, { ...restoring, shares, threshold: threshold ?? status.t }, named);
}

async function statuses(vaults: readonly Vault[]): Promise<{ node: string; status: SealStatus }[]> {
  return await Promise.all(
    vaults.map(async (vault) => ({ node: vault.node, status: await vault.sealStatus() })),
  );
}

/** Makes the snapshot's keys the stack's. Nobody has its root token any more? Its shares make one. */
async function keepKeys(
  original: GivenKeys,
  begun: Begun,
  restoring: Restoring,
): Promise<{ rootToken: string }> {
  const { stackDir, stack, pods, road, signal, say, fromCluster } = restoring;
  const [pod = "vault-0"] = pods;
  const withToken = (token: string | undefined) => new Vault(road, pod, { signal }, token);
  const status = withToken(undefined);
  const { t: threshold } = await status.sealStatus().finally(() => status.close());
  const { rootToken } = await until(
    "the shares to be proved",
    () => proveShares(withToken, { ...original, threshold }),
    within(restoring, restoring.timeoutSeconds),
  );
  const former = await readKeys(stackDir);
  if (former?.answer?.rootToken === rootToken) return { rootToken };
  const now = new Date().toISOString();
  const store = await road.storeOf(pod, signal);
  if (former !== undefined)
    say(
      `the keys of the former Vault are kept in ${await keepAside(stackDir, begun.formerCluster ?? "former")}`,
    );
  await writeKeys(stackDir, {
    version: 1,
    ...{ stack, pod, threshold, intendedAt: now },
    ...(restoring.keys.seal !== undefined && { seal: sealType.parse(restoring.keys.seal) }),
    ...(store !== undefined && { pvcUid: store }),
    answer: { shares: original.shares, rootToken, initialisedAt: now },
    ...(fromCluster !== undefined && { custody: { clusterId: fromCluster, provedAt: now } }),
    changedAt: now,
  });
  return { rootToken };
}
