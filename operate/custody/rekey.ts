/**
 * New shares for other holders, or other numbers. The holders of the present shares give theirs, Vault encrypts new ones
 * to the new holders' keys, and takes them for good when as many of those as the threshold have given theirs back. Each
 * part can be done in a run of its own; cut off anywhere, the same command goes on.
 */
import { CommandError } from "../../setup/command.ts";
import type { Holder } from "../../steps/lib/holder.ts";
import { writeKeys } from "../../steps/lib/keys-file.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { beginRekey, cancelRekey, rekeyStatus } from "../rotation/api.ts";
import { heldToken, type Rotating, withLeader } from "../rotation/rotating.ts";
import { type HeldByPeople, heldByPeople } from "./held.ts";
import {
  type Begun,
  forget,
  type HolderRekeyed,
  type NextShare,
  present,
  prove,
  tryNew,
} from "./rekey-shares.ts";

/** Who is to hold how many. */
export interface NewHolders {
  holders: Holder[];
  threshold: number;
}

export async function rekeyByHolders(
  to: NewHolders,
  rotating: Rotating,
  next: NextShare,
): Promise<HolderRekeyed> {
  const keys = await heldByPeople(rotating.stack, rotating.stackDir);
  return await withLeader(rotating, await heldToken(rotating), async (leader) => {
    const found = await underWay(keys, leader, rotating);
    if (found?.forgotten) return await tryNew(found.begun, leader, rotating, next);
    const begun = found?.begun ?? (await begin(to, keys, leader, rotating));
    const given = begun.rekey.encrypted ? begun : await present(begun, leader, rotating, next);
    return "phase" in given ? given : await prove(given, leader, rotating, next);
  });
}

/** Ends a rekey that is under way; the shares of before are good. @returns false where there was none */
export async function cancelByHolders(nonce: string, rotating: Rotating): Promise<boolean> {
  const keys = await heldByPeople(rotating.stack, rotating.stackDir);
  return await withLeader(rotating, await heldToken(rotating), async (leader) => {
    const status = await rekeyStatus(leader, "rekey");
    if (status.started && status.nonce !== nonce) throw somebodyElses(status.nonce, rotating.stack);
    if (status.started) await cancelRekey(leader, "rekey", nonce);
    if (keys.rekey?.nonce === nonce) await forget(keys, rotating);
    return status.started;
  });
}

/**
 * The rekey that this journal knows; undefined where it begins anew. Vault remembers one only while the same node leads:
 * where new shares were out by then, whether they were taken is not known (`forgotten`).
 */
async function underWay(
  keys: HeldByPeople,
  leader: Vault,
  rotating: Rotating,
): Promise<{ begun: Begun; forgotten: boolean } | undefined> {
  const { rekey } = keys;
  const status = await rekeyStatus(leader, "rekey");
  if (status.started && status.nonce !== rekey?.nonce) throw somebodyElses(status.nonce, rotating.stack);
  if (rekey?.holders === undefined) return undefined;
  const begun = { ...keys, rekey: { ...rekey, holders: rekey.holders } };
  const given = (status.verification_nonce ?? "") !== "";
  if (status.started && given === (rekey.encrypted !== undefined)) return { begun, forgotten: false };
  if (status.started) await cancelRekey(leader, "rekey", status.nonce);
  else if (rekey.encrypted !== undefined) return { begun, forgotten: true };
  rotating.say(`the rekey that was begun at ${rekey.begunAt} never came to new shares; it begins anew`);
  await forget(keys, rotating);
  return undefined;
}

async function begin(
  { holders, threshold }: NewHolders,
  { rekey: _, ...keys }: HeldByPeople,
  leader: Vault,
  { stackDir }: Rotating,
): Promise<Begun> {
  const pgpKeys = holders.map(({ publicKey }) => publicKey);
  const { nonce } = await beginRekey(leader, "rekey", holders.length, threshold, pgpKeys);
  const begun = { ...keys, rekey: { nonce, begunAt: new Date().toISOString(), threshold, holders } };
  await writeKeys(stackDir, begun);
  return begun;
}

function somebodyElses(nonce: string, stack: string): CommandError {
  return new CommandError(
    `Somebody is changing the key shares already: a rekey with the nonce ${nonce} is under way. Nothing was changed. Let it end, or cancel it.\nNext: npm run rekey -- --stack ${stack} --cancel ${nonce}`,
  );
}
