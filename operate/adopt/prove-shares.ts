import { CommandError } from "../../setup/command.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import type { GivenKeys } from "./given-keys.ts";

/**
 * Proves that the shares are this Vault's, without sealing anything: so many as the threshold generate a root token
 * (https://developer.hashicorp.com/vault/api-docs/system/generate-root). That token is kept where nobody has given one
 * that is good, and is revoked where somebody has.
 *
 * @param vault a node that is unsealed
 * @param withToken the same node with a token
 * @returns the root token that the stack goes on with
 * @throws CommandError where a share is wrong, or somebody else is generating a token
 */
export async function proveShares(
  vault: Vault,
  withToken: (token: string) => Vault,
  { shares, threshold, rootToken }: GivenKeys,
): Promise<string> {
  if ((await vault.rootGeneration()).started)
    throw new CommandError(
      "Somebody is generating a root token (sys/generate-root), with shares of their own. Nothing was changed. Let it end, or cancel it:\n  vault operator generate-root -cancel",
    );
  const { nonce, otp } = await vault.beginRootGeneration();
  let encoded = "";
  try {
    for (const share of shares.slice(0, threshold))
      encoded = (await vault.giveRootShare(share, nonce)) || encoded;
    if (encoded === "")
      throw new CommandError(`Vault wants more than the ${threshold} shares of the threshold.`);
  } catch (error) {
    await vault.cancelRootGeneration().catch(() => {});
    if (!(error instanceof VaultError) && !(error instanceof CommandError)) throw error;
    throw new CommandError(
      `These shares are not this Vault's: ${error.message}. Nothing was changed, and nothing is sealed.`,
    );
  }
  const made = decode(encoded, otp);
  if (rootToken === undefined || !(await isRoot(withToken(rootToken)))) return made;
  const generated = withToken(made);
  await generated.revokeSelf().finally(() => generated.close());
  return rootToken;
}

async function isRoot(vault: Vault): Promise<boolean> {
  try {
    return (await vault.ownPolicies()).includes("root");
  } catch (error) {
    // A token that was revoked, as it should be after the first login of another kind.
    if (error instanceof VaultError) return false;
    throw error;
  } finally {
    vault.close();
  }
}

/** Vault gives the token with the one-time password laid over it. */
export function decode(encoded: string, otp: string): string {
  const bytes = Buffer.from(encoded, "base64");
  return Buffer.from(bytes.map((byte, at) => byte ^ otp.charCodeAt(at))).toString();
}
