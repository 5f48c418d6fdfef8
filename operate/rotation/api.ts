/** Vault's API for changing its keys: https://developer.hashicorp.com/vault/api-docs/system/rekey, .../rotate, .../key-status */
import { z } from "zod";
import type { Vault } from "../../steps/lib/vault.ts";
import { Nothing } from "../../steps/lib/vault-answers.ts";
import { longRequestMs } from "../../steps/lib/vault-client.ts";

const RekeyStatus = z.object({
  started: z.boolean(),
  /** Names the rekey; "" where there is none. */
  nonce: z.string(),
  /** How many of the shares that are good now it wants, and how many it was given. */
  required: z.number(),
  progress: z.number().optional(),
  /** Names the verification, once the new shares were given out. */
  verification_nonce: z.string().optional(),
});
export type RekeyStatus = z.output<typeof RekeyStatus>;

/** The answer to the last share has the new ones; the answers before it have none. */
const Given = z.object({
  keys_base64: z.array(z.string()).min(1).optional(),
  verification_nonce: z.string().optional(),
});
export type Given = z.output<typeof Given>;

/** Which shares are changed, as Vault's paths have it: those of a Vault with a seal are recovery shares. */
export type Rekeyed = "rekey" | "rekey-recovery-key";

/** Whether somebody changes the shares. The node that leads alone knows; it forgets when it leads no more. */
export function rekeyStatus(leader: Vault, what: Rekeyed): Promise<RekeyStatus> {
  return leader.ask(RekeyStatus, "GET", `sys/${what}/init`);
}

/**
 * Begins it. New shares take the place of the others only when they were given back (`require_verification`).
 * @param holders to whose PGP keys (base64) Vault encrypts each new share
 */
export function beginRekey(
  leader: Vault,
  what: Rekeyed,
  shares: number,
  threshold: number,
  holders?: string[],
): Promise<RekeyStatus> {
  const body = {
    ...{ secret_shares: shares, secret_threshold: threshold, require_verification: true },
    ...(holders && { pgp_keys: holders }),
  };
  return leader.ask(RekeyStatus, "PUT", `sys/${what}/init`, body);
}

/** Ends it without a change. Vault wants the nonce in the first ten minutes. */
export async function cancelRekey(leader: Vault, what: Rekeyed, nonce: string): Promise<void> {
  await leader.ask(Nothing, "DELETE", `sys/${what}/init`, { nonce });
}

/** Gives one of the shares that are good now. */
export function giveShare(leader: Vault, what: Rekeyed, key: string, nonce: string): Promise<Given> {
  return leader.ask(Given, "PUT", `sys/${what}/update`, { key, nonce }, longRequestMs);
}

/** Forgets the new shares that were given back so far, and gives the verification another nonce. */
export async function beginVerification(leader: Vault, what: Rekeyed): Promise<string> {
  return (await leader.ask(z.object({ nonce: z.string() }), "DELETE", `sys/${what}/verify`)).nonce;
}

/** Gives one new share back. With the last one that is needed the new shares are the good ones. */
export async function giveBack(leader: Vault, what: Rekeyed, key: string, nonce: string): Promise<boolean> {
  const answer = z.object({ complete: z.boolean().optional() });
  const { complete } = await leader.ask(answer, "PUT", `sys/${what}/verify`, { key, nonce }, longRequestMs);
  return complete === true;
}

/** How many of the new shares were given back. */
export async function verification(leader: Vault): Promise<{ nonce: string; progress: number; t: number }> {
  const answer = z.object({ nonce: z.string(), progress: z.number(), t: z.number() });
  return await leader.ask(answer, "GET", "sys/rekey/verify");
}

/** The term of the key that encrypts what Vault stores from now on. */
const KeyStatus = z.object({ data: z.object({ term: z.number(), install_time: z.string() }) });

export async function keyStatus(leader: Vault): Promise<{ term: number; installedAt: string }> {
  const { term, install_time } = (await leader.ask(KeyStatus, "GET", "sys/key-status")).data;
  return { term, installedAt: install_time };
}

/** Makes a new key for what is stored from now on; the former ones stay, for what is stored already. */
export async function rotateKey(leader: Vault): Promise<void> {
  await leader.ask(Nothing, "PUT", "sys/rotate", {}, longRequestMs);
}
