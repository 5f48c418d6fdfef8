/** The shares of a rekey by holders: the present ones go in, the new ones come out and are given back. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../../setup/command.ts";
import type { Holder } from "../../steps/lib/holder.ts";
import { type Keys, writeKeys } from "../../steps/lib/keys-file.ts";
import { armored } from "../../steps/lib/pgp.ts";
import { says, speaksOfWrongShares } from "../../steps/lib/unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { writeWhole } from "../../steps/lib/whole-file.ts";
import { generateRoot, revoke, WrongShares } from "../adopt/prove-shares.ts";
import { type Given, giveBack, giveShare, rekeyStatus, verification } from "../rotation/api.ts";
import { type Rotating, replaceKeys } from "../rotation/rotating.ts";
import { handOut, holderFolder } from "./hand-out.ts";
import type { HeldByPeople } from "./held.ts";

/** The next share; undefined where nobody has another one now. */
export type NextShare = (question: {
  kind: "present" | "new";
  given: number;
  wanted: number;
}) => Promise<string | undefined>;

/** How far it is. */
export type HolderRekeyed =
  /** Wants more of the shares that are good now. */
  | { phase: "present"; given: number; wanted: number }
  /** The new ones are written for their holders, and wanted back; those of before are good still. */
  | { phase: "new"; given: number; wanted: number; files: string[] }
  | { phase: "done"; shares: number; threshold: number; former: string; files: string[] };

/** The journal while a rekey is under way. */
export type Begun = HeldByPeople & { rekey: NonNullable<Keys["rekey"]> & { holders: Holder[] } };

/** Gives Vault the shares that are good now. */
export async function present(
  begun: Begun,
  leader: Vault,
  rotating: Rotating,
  next: NextShare,
): Promise<Begun | HolderRekeyed> {
  const { nonce, holders } = begun.rekey;
  for (;;) {
    const { progress: given = 0, required: wanted } = await rekeyStatus(leader, "rekey");
    const share = await next({ kind: "present", given, wanted });
    if (share === undefined) return { phase: "present", given, wanted };
    const { keys_base64: shares } = await giveShare(leader, "rekey", share, nonce).catch(knownOrRefused);
    if (shares === undefined) {
      const { progress = 0 } = await rekeyStatus(leader, "rekey");
      rotating.say(progress > given ? `${progress} of ${wanted} shares` : "this share was given already");
      continue;
    }
    const encrypted = holders.map((holder, at) => ({ holder, encrypted: shares[at] ?? "" }));
    const held = { ...begun, rekey: { ...begun.rekey, encrypted } };
    await writeKeys(rotating.stackDir, held);
    rotating.say(
      "Vault has encrypted the new shares; those of before are good until the new ones are proved",
    );
    return held;
  }
}

/** Gives new shares back: with the last one that is wanted they are the good ones. */
export async function prove(
  begun: Begun,
  leader: Vault,
  rotating: Rotating,
  next: NextShare,
): Promise<HolderRekeyed> {
  const files = await writeNew(begun, rotating.stackDir);
  for (;;) {
    const { nonce, progress: given, t: wanted } = await verification(leader);
    const share = await next({ kind: "new", given, wanted });
    if (share === undefined) return { phase: "new", given, wanted, files };
    if (await giveBack(leader, "rekey", share, nonce).catch((error) => !knownOrRefused(error)))
      return await commit(begun, rotating);
    const { progress } = await verification(leader);
    rotating.say(progress > given ? `${progress} of ${wanted} new shares` : "this share was given already");
  }
}

/** Sees whether the new shares open Vault, which seals nothing: they make a root token, which is revoked. */
export async function tryNew(
  begun: Begun,
  leader: Vault,
  rotating: Rotating,
  next: NextShare,
): Promise<HolderRekeyed> {
  const { begunAt, threshold: wanted, nonce } = begun.rekey;
  const shares: string[] = [];
  rotating.say(
    `Vault knows nothing any more of the rekey of ${begunAt}: whether it took the new shares is tried`,
  );
  while (shares.length < wanted) {
    const share = await next({ kind: "new", given: shares.length, wanted });
    if (share === undefined)
      return { phase: "new", given: 0, wanted, files: await writeNew(begun, rotating.stackDir) };
    if (!shares.includes(share)) shares.push(share);
  }
  const token = await generateRoot(leader, shares).catch((error) => {
    if (!(error instanceof WrongShares)) throw error;
    throw new CommandError(
      `These new shares do not open Vault. Those of before do, where none of these is wrong: forget the new ones then.\nNext: npm run rekey -- --stack ${rotating.stack} --cancel ${nonce}`,
    );
  });
  await revoke(new Vault(rotating.road, leader.node, rotating, token));
  return await commit(begun, rotating);
}

async function commit({ rekey, ...keys }: Begun, rotating: Rotating): Promise<HolderRekeyed> {
  const { encrypted: shares = [], threshold, holders } = rekey;
  const pgp = { ...keys.pgp, shares };
  const former = await replaceKeys(rotating, keys, { ...keys, threshold, pgp });
  await removeNew(holders, rotating.stackDir);
  const written = await handOut(pgp, holders, rotating.stackDir);
  const files = written.flatMap(({ files }) => files);
  return { phase: "done", shares: shares.length, threshold, former, files };
}

/** Forgets a rekey, and removes what was written for its holders. */
export async function forget({ rekey, ...keys }: HeldByPeople, { stackDir }: Rotating): Promise<void> {
  await writeKeys(stackDir, keys);
  await removeNew(rekey?.holders ?? [], stackDir);
}

/** Nothing for a share that was given before. */
function knownOrRefused(error: unknown): Given {
  if (error instanceof VaultError && says(error, "already been provided")) return {};
  if (!(error instanceof VaultError) || !speaksOfWrongShares(error)) throw error;
  throw new CommandError(
    `Vault does not take it: ${error.message}. One of the shares that were given is wrong, and Vault has forgotten all of this round; the shares of before are good still. Each holder gives theirs once more.`,
  );
}

const newShare = "new-share.asc";

async function writeNew({ rekey }: Begun, stackDir: string): Promise<string[]> {
  const files: string[] = [];
  for (const { holder, encrypted } of rekey.encrypted ?? []) {
    const file = join(holderFolder(stackDir, holder), newShare);
    await writeWhole(file, armored(encrypted));
    files.push(file);
  }
  return files;
}

async function removeNew(holders: readonly Holder[], stackDir: string): Promise<void> {
  for (const holder of holders) await rm(join(holderFolder(stackDir, holder), newShare), { force: true });
}
