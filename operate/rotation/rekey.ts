/** Gives a Vault other key shares. Cut off anywhere, the same command goes on. */
import { CommandError } from "../../setup/command.ts";
import { type Keys, writeKeys } from "../../steps/lib/keys-file.ts";
import { sealAwayWords, speaksOfSeal } from "../../steps/lib/self-unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { generateRoot, revoke, WrongShares } from "../adopt/prove-shares.ts";
import {
  beginRekey,
  beginVerification,
  cancelRekey,
  giveBack,
  giveShare,
  type RekeyStatus,
  rekeyStatus,
  type Rekeyed as What,
} from "./api.ts";
import { type Held, heldKeys, type Rotating, replaceKeys, withLeader } from "./rotating.ts";

/** How many shares there are to be, and how many of them open Vault; undefined: as many as now. */
export interface Numbers {
  shares: number | undefined;
  threshold: number | undefined;
}

/** What a rekey came to. */
export interface Rekeyed {
  /** Set where they are recovery shares: the seal that unseals the nodes. */
  seal?: string;
  shares: number;
  threshold: number;
  /** The file of the former keys. */
  former: string;
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

/** As in "5 shares, of which 3 open Vault"; with a seal "5 recovery shares, of which 3 are wanted". */
export function inWords(
  { shares, threshold }: { shares: number; threshold: number },
  seal?: string | undefined,
): string {
  const noun = shares === 1 ? "share" : "shares";
  if (seal !== undefined)
    return `${shares} recovery ${noun}, of which ${threshold} ${threshold === 1 ? "is" : "are"} wanted`;
  return `${shares} ${noun}, of which ${threshold} ${threshold === 1 ? "opens" : "open"} Vault`;
}

/** With a seal the shares of a Vault are recovery shares, and have paths of their own. */
const whatOf = ({ seal }: Held): What => (seal === undefined ? "rekey" : "rekey-recovery-key");

/** What Vault would refuse; undefined where nothing is wrong (`SealConfig.Validate`). */
export function numbersProblem({
  shares,
  threshold,
}: {
  shares: number;
  threshold: number;
}): string | undefined {
  if (threshold > shares)
    return `${threshold} of ${shares} shares cannot be: --threshold is at most --shares. Nothing was changed.`;
  if (threshold === 1 && shares > 1)
    return `Vault wants a threshold of at least 2 where there is more than one share: say --threshold. Nothing was changed.`;
  return undefined;
}

async function begin(
  to: { shares: number; threshold: number },
  keys: Held,
  leader: Vault,
  rotating: Rotating,
): Promise<Rekeyed> {
  const { stackDir, say } = rotating;
  const { nonce, required } = await beginRekey(leader, whatOf(keys), to.shares, to.threshold);
  const begun = { nonce, begunAt: new Date().toISOString(), threshold: to.threshold };
  // What a run that is killed here leaves in Vault is known as ours then.
  await writeKeys(stackDir, { ...keys, rekey: begun });
  const shares = await newShares(keys, nonce, required, leader, rotating);
  const held = { ...keys, rekey: { ...begun, shares } };
  await writeKeys(stackDir, held);
  say(`Vault has given ${inWords(to, keys.seal)}. They are on the disk, and are given back to it now`);
  return await verify(held, shares, leader, rotating);
}

/** Gives the shares that are good now, for the new ones. */
async function newShares(
  keys: Held,
  nonce: string,
  required: number,
  leader: Vault,
  { stackDir, stack }: Rotating,
): Promise<string[]> {
  try {
    for (const share of keys.answer.shares.slice(0, required)) {
      const { keys_base64 } = await giveShare(leader, whatOf(keys), share, nonce);
      if (keys_base64 !== undefined) return keys_base64;
    }
  } catch (error) {
    if (!speaksOfWrongShares(error)) throw error;
    await cancelRekey(leader, whatOf(keys), nonce);
    await writeKeys(stackDir, withoutRekey(keys));
    if (speaksOfSeal(error))
      throw new CommandError(`${sealAwayWords(error)}\nNext: npm run doctor -- --stack ${stack}`);
    throw new WrongShares(
      `The stack's shares do not open this Vault: ${error.message}. Nothing was changed, and nothing is sealed.`,
    );
  }
  await cancelRekey(leader, whatOf(keys), nonce);
  await writeKeys(stackDir, withoutRekey(keys));
  throw new CommandError(
    `Vault wants ${required} shares, and the journal has ${keys.answer.shares.length}. Nothing was changed.`,
  );
}

/** 400 where they make no key, 500 where they make one that is not this Vault's. */
function speaksOfWrongShares(error: unknown): error is VaultError {
  if (!(error instanceof VaultError)) return false;
  return error.status === 400 || error.message.includes("message authentication failed");
}

/** Gives the new shares back: from the last one on they are the good ones, and the journal says so. */
async function verify(
  keys: Held & { rekey: NonNullable<Keys["rekey"]> },
  shares: string[],
  leader: Vault,
  rotating: Rotating,
): Promise<Rekeyed> {
  const nonce = await beginVerification(leader, whatOf(keys));
  let complete = false;
  for (const share of shares.slice(0, keys.rekey.threshold))
    complete = await giveBack(leader, whatOf(keys), share, nonce);
  if (!complete) throw new CommandError("Vault does not say that it has taken the new shares.");
  return await commit(keys, shares, rotating);
}

async function commit(
  keys: Held & { rekey: NonNullable<Keys["rekey"]> },
  shares: string[],
  rotating: Rotating,
): Promise<Rekeyed> {
  const { threshold } = keys.rekey;
  const former = await replaceKeys(rotating, keys, {
    ...withoutRekey(keys),
    threshold,
    answer: { ...keys.answer, shares },
  });
  return {
    ...(keys.seal !== undefined && { seal: keys.seal }),
    ...{ shares: shares.length, threshold, former },
  };
}

/**
 * Goes on with a rekey that was cut off; undefined where nothing of it is left, and it begins anew.
 *
 * Vault knows of a rekey only while the same node leads, so where it knows of none, the shares are tried.
 */
async function goOn(
  keys: Held,
  left: NonNullable<Keys["rekey"]>,
  leader: Vault,
  rotating: Rotating,
): Promise<Rekeyed | undefined> {
  const status: RekeyStatus = await rekeyStatus(leader, whatOf(keys));
  const { shares } = left;
  const held = { ...keys, rekey: left };
  if (status.started && shares !== undefined && status.verification_nonce) {
    rotating.say(`going on with the rekey that was begun at ${left.begunAt}`);
    return await verify(held, shares, leader, rotating);
  }
  if (status.started) {
    rotating.say(`the rekey that was begun at ${left.begunAt} never came to new shares; it begins anew`);
    await cancelRekey(leader, whatOf(keys), status.nonce);
  } else if (shares !== undefined && (await opens(leader, shares, left.threshold, rotating))) {
    rotating.say(`Vault has taken the shares of the rekey that was begun at ${left.begunAt}`);
    return await commit(held, shares, rotating);
  }
  await forget(keys, leader, rotating);
  return undefined;
}

/** Forgets new shares, once the ones of before have been seen to open Vault. */
async function forget(keys: Held, leader: Vault, rotating: Rotating): Promise<void> {
  if (keys.rekey?.shares !== undefined) {
    if (!(await opens(leader, keys.answer.shares, keys.threshold, rotating)))
      throw new CommandError(
        `Neither the shares of before nor those of the rekey of ${keys.rekey.begunAt} open this Vault: somebody else has changed them. Nothing was changed; keep ${rotating.stackDir}.\nNext: npm run doctor -- --stack ${rotating.stack}`,
      );
    rotating.say("the shares of before are good still; those of the rekey never were");
  }
  await writeKeys(rotating.stackDir, withoutRekey(keys));
}

/** Whether these shares open this Vault. Nothing is sealed for it: they make a root token, which is revoked. */
async function opens(
  leader: Vault,
  shares: readonly string[],
  threshold: number,
  { road, signal }: Rotating,
): Promise<boolean> {
  try {
    const token = await generateRoot(leader, shares.slice(0, threshold));
    await revoke(new Vault(road, leader.node, { signal }, token));
    return true;
  } catch (error) {
    if (error instanceof WrongShares) return false;
    throw error;
  }
}

function withoutRekey({ rekey: _, ...keys }: Held): Held {
  return keys;
}
