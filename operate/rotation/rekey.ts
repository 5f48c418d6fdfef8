/** Gives a Vault other key shares. Cut off anywhere, the same command goes on. */
import { CommandError } from "../../setup/command.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { cancelRekey, rekeyStatus } from "./api.ts";
import { begin, forget, goOn, opens, type Rekeyed, whatOf } from "./rekey-run.ts";
import { type Held, heldKeys, type Rotating, withLeader } from "./rotating.ts";
import { inWords, numbersProblem } from "./share-numbers.ts";

/** How many shares there are to be, and how many of them open Vault; undefined: as many as now. */
export interface Numbers {
  shares: number | undefined;
  threshold: number | undefined;
}

/** What a rekey would do. */
export interface RekeyPlan {
  /** Set where they are recovery shares: the seal that unseals the nodes. */
  seal?: string;
  from: { shares: number; threshold: number };
  to: { shares: number; threshold: number };
  /** When the rekey was begun that this one goes on with. */
  begunAt: string | undefined;
}

/**
 * What would be done, found out without a change.
 * @throws CommandError where somebody else is at it, or the numbers make no sense
 */
export async function planRekey(numbers: Numbers, rotating: Rotating): Promise<RekeyPlan> {
  const keys = await heldKeys(rotating);
  return await withLeader(rotating, keys.answer.rootToken, (leader) => plan(numbers, keys, leader, rotating));
}

/**
 * Does it. The new shares are in the journal before Vault takes them for good, and Vault takes them only when they were
 * given back to it.
 * @throws CommandError, VaultError or Unreachable; whatever was done, the journal holds shares that open Vault
 */
export async function rekey(numbers: Numbers, rotating: Rotating): Promise<Rekeyed> {
  const keys = await heldKeys(rotating);
  return await withLeader(rotating, keys.answer.rootToken, async (leader) => {
    const { to } = await plan(numbers, keys, leader, rotating);
    const left = keys.rekey && (await goOn(keys, keys.rekey, leader, rotating));
    if (left !== undefined) return left;
    return await begin(to, keys, leader, rotating);
  });
}

/**
 * Ends a rekey that is under way, whoever began it; the shares that are good now stay good.
 * @returns false where there was none
 */
export async function cancel(nonce: string, rotating: Rotating): Promise<boolean> {
  const keys = await heldKeys(rotating);
  return await withLeader(rotating, keys.answer.rootToken, async (leader) => {
    const status = await rekeyStatus(leader, whatOf(keys));
    if (status.started && status.nonce !== nonce)
      throw new CommandError(
        `Another rekey is under way than the one that is named: ${status.nonce}. Nothing was changed.\nNext: npm run rekey -- --stack ${rotating.stack} --cancel ${status.nonce}`,
      );
    const left = keys.rekey?.nonce === nonce ? keys.rekey : undefined;
    if (!status.started && left?.shares && (await opens(leader, left.shares, left.threshold, rotating)))
      throw new CommandError(
        `Vault has taken the shares of this rekey already, and those of before open it no more. Nothing was changed.\nNext: npm run rekey -- --stack ${rotating.stack}`,
      );
    if (status.started) await cancelRekey(leader, whatOf(keys), nonce);
    if (left !== undefined) await forget(keys, leader, rotating);
    return status.started;
  });
}

async function plan(numbers: Numbers, keys: Held, leader: Vault, { stack }: Rotating): Promise<RekeyPlan> {
  const status = await rekeyStatus(leader, whatOf(keys));
  const { n, t } = await leader.sealStatus();
  const { rekey } = keys;
  const kind = keys.seal === undefined ? {} : { seal: keys.seal };
  if (status.started && status.nonce !== rekey?.nonce)
    throw new CommandError(
      `Somebody is changing the key shares already: a rekey with the nonce ${status.nonce} is under way. No share was sent, nothing was changed. Let it end, or cancel it.\nNext: npm run rekey -- --stack ${stack} --cancel ${status.nonce}`,
    );
  const to = { shares: numbers.shares ?? n, threshold: numbers.threshold ?? t };
  if (rekey?.shares !== undefined) {
    const begun = { shares: rekey.shares.length, threshold: rekey.threshold };
    if (
      (numbers.shares ?? begun.shares) !== begun.shares ||
      (numbers.threshold ?? begun.threshold) !== begun.threshold
    )
      throw new CommandError(
        `A rekey to ${inWords(begun)} was begun at ${rekey.begunAt} and cut off. It comes first. Nothing was changed.\nNext: npm run rekey -- --stack ${stack}`,
      );
    return { from: { shares: n, threshold: t }, to: begun, begunAt: rekey.begunAt, ...kind };
  }
  const problem = numbersProblem(to);
  if (problem !== undefined) throw new CommandError(problem, 2);
  return { from: { shares: n, threshold: t }, to, begunAt: undefined, ...kind };
}
