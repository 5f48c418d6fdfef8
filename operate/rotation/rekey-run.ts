/** The parts of a rekey, each of which may be the one at which it is cut off. */
import { CommandError } from "../../setup/command.ts";
import { type Keys, writeKeys } from "../../steps/lib/keys-file.ts";
import { sealAwayWords, speaksOfSeal } from "../../steps/lib/self-unseal.ts";
import { speaksOfWrongShares } from "../../steps/lib/unseal.ts";
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
import { type Held, type Rotating, replaceKeys } from "./rotating.ts";
import { inWords } from "./share-numbers.ts";

/** What a rekey came to. */
export interface Rekeyed {
  /** Set where they are recovery shares: the seal that unseals the nodes. */
  seal?: string;
  shares: number;
  threshold: number;
  /** The file of the former keys. */
  former: string;
}

/** Begins one, and does all of it. @throws CommandError, VaultError or Unreachable, as rekey */
export async function begin(
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

/**
 * Goes on with a rekey that was cut off; undefined where nothing of it is left, and it begins anew.
 *
 * Vault knows of a rekey only while the same node leads, so where it knows of none, the shares are tried.
 */
export async function goOn(
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
export async function forget(keys: Held, leader: Vault, rotating: Rotating): Promise<void> {
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
export async function opens(
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
    if (!(error instanceof VaultError) || !speaksOfWrongShares(error)) throw error;
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

/** With a seal the shares of a Vault are recovery shares, and have paths of their own. */
export const whatOf = ({ seal }: Held): What => (seal === undefined ? "rekey" : "rekey-recovery-key");

function withoutRekey({ rekey: _, ...keys }: Held): Held {
  return keys;
}
