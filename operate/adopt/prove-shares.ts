import { CommandError } from "../../setup/command.ts";
import { sealAwayWords, speaksOfSeal } from "../../steps/lib/self-unseal.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import type { GivenKeys } from "./given-keys.ts";

/** The root token that a stack goes on with. */
export interface ProvedToken {
  rootToken: string;
  /** Whether it was generated here, and nobody else knows it. */
  made: boolean;
}

/**
 * Proves that the shares are this Vault's, without sealing anything: so many as the threshold generate a root token
 * (https://developer.hashicorp.com/vault/api-docs/system/generate-root). That token is kept where nobody has given one
 * that is good, and is revoked where somebody has. From Vault 2.0 on this wants a token itself (CVE-2026-5807).
 *
 * @param withToken a node that is unsealed, asked with a token or without
 * @throws CommandError where a share is wrong, Vault wants a token, or somebody else is generating one
 */
export async function proveShares(
  withToken: (token: string | undefined) => Vault,
  { shares, threshold, rootToken }: GivenKeys & { threshold: number },
): Promise<ProvedToken> {
  const vault = withToken(rootToken);
  try {
    const made = await generateRoot(vault, shares.slice(0, threshold));
    if (rootToken === undefined || !(await isRoot(vault))) return { rootToken: made, made: true };
    await revoke(withToken(made));
    return { rootToken, made: false };
  } finally {
    vault.close();
  }
}

/** Revokes a token of its own. */
export async function revoke(own: Vault): Promise<void> {
  await own.revokeSelf().finally(() => own.close());
}

/** The shares do not open this Vault. Nothing was changed. */
export class WrongShares extends CommandError {}

/**
 * Makes a root token with so many shares as the threshold.
 * @throws WrongShares, or CommandError where Vault wants a token, or somebody else is generating one
 */
export async function generateRoot(vault: Vault, shares: readonly string[]): Promise<string> {
  const { started } = await vault.rootGeneration().catch(refusedToken);
  if (started)
    throw new CommandError(
      "Somebody is generating a root token (sys/generate-root), or a run of this command was killed while it did. No share was sent, nothing was changed. Let it end, or cancel it:\n  vault operator generate-root -cancel",
    );
  const { nonce, otp } = await vault.beginRootGeneration().catch(refusedToken);
  let encoded = "";
  try {
    for (const share of shares) encoded = (await vault.giveRootShare(share, nonce)) || encoded;
  } catch (error) {
    const left = await cancel(vault);
    if (!isWrongShare(error)) throw error;
    if (speaksOfSeal(error)) throw new CommandError(`${sealAwayWords(error)}${left}\nNext: npm run doctor`);
    throw new WrongShares(
      `These shares are not this Vault's: ${error.message}. Nothing was changed, and nothing is sealed.${left}`,
    );
  }
  if (encoded !== "") return decode(encoded, otp);
  throw new WrongShares(
    `Vault wants more than ${shares.length} shares. Nothing was changed.${await cancel(vault)}`,
  );
}

/** @returns "", or what to do where it cannot be cancelled */
async function cancel(vault: Vault): Promise<string> {
  return await vault.cancelRootGeneration().then(
    () => "",
    (error: Error) =>
      `\nThe attempt could not be cancelled (${error.message}):\n  vault operator generate-root -cancel`,
  );
}

const isWrongShare = (error: unknown): error is VaultError =>
  error instanceof VaultError && error.status === 400;

function refusedToken(error: unknown): never {
  if (!(error instanceof VaultError) || error.status !== 403) throw error;
  throw new CommandError(
    `${error.message}. From Vault 2.0 on, generating a root token wants a token that may do so, and the keys have none that is good. No share was sent, nothing was changed. Give one: root_token of the JSON, or a line of its own.\n  vault login   (as somebody who may update sys/generate-root; vault print token)`,
  );
}

async function isRoot(vault: Vault): Promise<boolean> {
  try {
    return (await vault.ownPolicies()).includes("root");
  } catch (error) {
    // A token that was revoked, as it should be after the first login of another kind.
    if (error instanceof VaultError && error.status === 403) return false;
    throw error;
  }
}

/** Vault gives the token with the one-time password laid over it. */
export function decode(encoded: string, otp: string): string {
  const bytes = Buffer.from(encoded, "base64");
  return Buffer.from(bytes.map((byte, at) => byte ^ otp.charCodeAt(at))).toString();
}
