/** Restores a snapshot: a way back first, then the snapshot, then the proof. Cut off anywhere, it goes on. */
import { randomUUID } from "node:crypto";
import { NotYet, StepError } from "../../steps/lib/errors.ts";
import { leaderAmong } from "../../steps/lib/leading.ts";
import { saveSnapshot, sendSnapshot } from "../../steps/lib/snapshot.ts";
import { snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { until, within } from "../../steps/lib/wait.ts";
import type { GivenKeys } from "../adopt/given-keys.ts";
import type { VaultKeys } from "../open-vault.ts";
import { type Begun, forgetBegun, writeBegun } from "./begun.ts";
import { openWith } from "./open-with.ts";
import { byHand, type Plan } from "./plan.ts";
import { type Proved, prove } from "./prove.ts";
import { type Restoring, vaultsWith } from "./restoring.ts";

/** What a restore came to. */
export interface Outcome extends Proved {
  file: string;
  /** The snapshot of what ran before. */
  safety: string;
  /** The id of the Vault that ran before, where another has taken its place. */
  formerCluster?: string;
}

/** Where, in the token's own cubbyhole, something is written before a restore, which is gone after it. */
const canaryName = "vault-ha-restore";

/**
 * Does what the plan says.
 * @param original the snapshot's own keys, where the plan is forced
 * @throws StepError where something does not come about; the same command goes on from there
 */
export async function restore(
  plan: Plan,
  restoring: Restoring,
  original: GivenKeys | undefined,
): Promise<Outcome> {
  const { keys, say, signal, stackDir, timeoutSeconds } = restoring;
  const { file, force } = plan;
  const step = within({ say, signal }, timeoutSeconds);
  const vaults = vaultsWith(restoring, keys.rootToken);
  try {
    // An ordinary one is done again as a whole: what was written since it was cut off is not in the snapshot either.
    const goesOn = force && plan.begun !== undefined && (await isIn(vaults, force));
    const begun = await (goesOn && plan.begun ? plan.begun : begin(plan, restoring, vaults));
    if (goesOn) say(`${file} was sent by a run that was begun at ${begun.begunAt} and cut off; going on`);
    else {
      const leader = await until("a node to lead", () => leaderAmong(vaults), step);
      await sendSnapshot(leader, file, { force }).catch((error) => refused(error, plan, keys));
      say(`${leader.node} has taken the snapshot`);
      const look = async () => {
        if (!(await isIn(vaults, force)))
          throw new NotYet("what was written after the snapshot is still there");
      };
      await until("the snapshot to be in place", look, step);
    }
    const proved =
      force && original
        ? await openWith(original, plan, begun, restoring)
        : await prove(plan, keys.rootToken, restoring).catch((error) => tokenOfLater(error, plan, restoring));
    await forgetBegun(stackDir);
    const { formerCluster } = begun;
    const isAnother = formerCluster !== undefined && formerCluster !== proved.clusterId;
    return { file, safety: begun.safety, ...(isAnother && { formerCluster }), ...proved };
  } finally {
    for (const vault of vaults) vault.close();
  }
}

/** Saves the way back, and writes what the restore has to take away. */
async function begin(
  { facts, live, begun: former }: Plan,
  restoring: Restoring,
  vaults: readonly Vault[],
): Promise<Begun> {
  const { stack, stackDir, say, signal, timeoutSeconds } = restoring;
  const leader = await until("a node to lead", () => leaderAmong(vaults), within(restoring, timeoutSeconds));
  say("what runs now is saved first, as the way back:");
  const { file } = await saveSnapshot(leader, snapshotFolder(stackDir), stack, { say, signal });
  await leader.write(canaryName, randomUUID());
  const formerCluster = former?.formerCluster ?? live?.clusterId;
  const begun: Begun = {
    version: 1,
    begunAt: new Date().toISOString(),
    sha256: facts.sha256,
    // The way back from a run that was cut off is what ran before that one.
    safety: former?.safety ?? file,
    ...(formerCluster !== undefined && { formerCluster }),
  };
  await writeBegun(stackDir, begun);
  return begun;
}

/** Whether the snapshot is in place. A forced one seals the node that led; an ordinary one has taken the canary away. */
async function isIn(vaults: readonly Vault[], force: boolean): Promise<boolean> {
  const leader = await leaderAmong(vaults).catch((error) => {
    if (!(error instanceof NotYet)) throw error;
    if (force) return undefined;
    throw error;
  });
  if (leader === undefined) return true;
  try {
    await leader.read(canaryName);
    return false;
  } catch (error) {
    // 403: the token is none of the snapshot's, so its state is another one.
    if (error instanceof VaultError && (error.status === 404 || error.status === 403)) return true;
    throw error;
  }
}

/** The stack's token is not in a snapshot that is older: the data is in place, and nobody here can look at it. */
async function tokenOfLater(error: unknown, { file }: Plan, restoring: Restoring): Promise<never> {
  if (!(error instanceof VaultError) || error.status !== 403) throw error;
  const { stack, stackDir, keys } = restoring;
  await forgetBegun(stackDir);
  throw new StepError(
    `${file} is in place, and is not proved: the stack's token is not in it, for that was made later. The stack wants another token, and then its status says how Vault is`,
    `npm run ${keys.byHolders ? "custody token" : "root generate"} -- --stack ${stack}, then npm run up -- --stack ${stack}`,
  );
}

/** Vault itself notices a snapshot of other keys. */
function refused(error: unknown, { file, record }: Plan, { seal, byHolders }: VaultKeys): never {
  if (!(error instanceof VaultError) || !error.message.includes("could not verify hash file")) throw error;
  if (seal !== undefined)
    throw new StepError(
      `${error.message}. The seal ${seal} of this Vault does not open ${file}: it was taken while another key of the seal was used, or it is of another Vault. Nothing was changed. It can be restored where that key is the seal's (docs/seal.md, Snapshots); another Vault's with the same key: --from-cluster ${record?.clusterId ?? "<the id of its Vault>"}`,
      "npm run restore -- --help",
    );
  if (byHolders)
    throw new StepError(
      `${error.message}. ${file} was taken while Vault had other shares: it is of another Vault, or of this one before a rekey. Nothing was changed; ${byHand}`,
      `npm run snapshot inspect ${file}`,
    );
  throw new StepError(
    `${error.message}. ${file} was taken while Vault had other shares: it is of another Vault, or of this one before a rekey. Nothing was changed. With the shares of its time it can be restored: --from-cluster ${record?.clusterId ?? "<the id of its Vault>"}`,
    "npm run restore -- --help",
  );
}
