/** What a stack knows of shares that are in people's hands. */
import { CommandError } from "../../setup/command.ts";
import { type Keys, keysPath, type PgpAnswer, readKeys } from "../../steps/lib/keys-file.ts";
import type { VaultKeys } from "../open-vault.ts";

/** A journal of a stack whose shares people hold. */
export type HeldByPeople = Keys & { pgp: PgpAnswer };

/**
 * The journal of a stack whose shares people hold.
 * @throws CommandError where this machine has none, or the stack holds its shares itself
 */
export async function heldByPeople(stack: string, stackDir: string): Promise<HeldByPeople> {
  const keys = await readKeys(stackDir);
  if (keys?.pgp !== undefined) return { ...keys, pgp: keys.pgp };
  if (keys?.answer !== undefined)
    throw new CommandError(
      `Stack ${stack} holds its shares itself (custody.mode stack), so there is nothing to hand out, to prove or to ask for.\nNext: npm run up -- --stack ${stack}   (unseals what is sealed)`,
    );
  throw new CommandError(
    `There is no journal of an initialised Vault in ${keysPath(stackDir)}. This is done on the machine that has it, and after npm run up has initialised Vault.\nNext: npm run up -- --stack ${stack}`,
  );
}

/**
 * Refuses to send shares to a vault-0 on a store that nobody knows. One that has joined anew in the place of a lost store
 * is on the store that the state knows by now, or the settings give up the one that the shares were made in.
 * @param store what vault-0 runs on; undefined where that is not known
 * @throws CommandError where it is neither
 */
export function refuseUnknownStore(
  { pvcUid: made }: Pick<Keys, "pvcUid">,
  store: string | undefined,
  { stack, pinned, giveUp }: { stack: string; pinned: string | undefined; giveUp: readonly string[] },
): void {
  if (store === undefined || made === undefined || store === made) return;
  if (store === pinned || giveUp.includes(made)) return;
  throw new CommandError(
    `vault-0 runs on another store than the shares are for. Known: ${pinned ?? made}; found: ${store}. No share was sent.\nNext: npm run doctor -- --stack ${stack}`,
  );
}

/**
 * Refuses what cannot be done without the shares themselves.
 * @param what such as "A rekey"
 * @param instead what the holders can do, as one sentence or command
 */
export function refuseWithoutShares(
  keys: Pick<VaultKeys, "byHolders"> | undefined,
  what: string,
  instead: string,
): void {
  if (keys?.byHolders) throw sharesElsewhere(what, instead);
}

export function sharesElsewhere(what: string, instead: string): CommandError {
  return new CommandError(
    `${what} wants the key shares, and they are in people's hands (custody.mode pgp). Nothing was changed.\nNext: ${instead}`,
  );
}
