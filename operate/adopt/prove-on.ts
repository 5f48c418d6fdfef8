import { Vault } from "../../steps/lib/vault.ts";
import { type Examined, refuse } from "./examine.ts";
import type { Place } from "./found.ts";
import { peersOf } from "./gather.ts";
import type { GivenKeys } from "./given-keys.ts";
import { voterProblems } from "./look.ts";
import { proveShares, revoke } from "./prove-shares.ts";

/**
 * Proves the shares at the Vault that was found, and looks at its voters where no token that is good was there to look
 * before. A token that was made is revoked where nothing comes of it.
 * @throws CommandError where the shares are wrong, or a node is no voter
 */
export async function proveOn(
  { found, road }: Examined,
  given: GivenKeys & { threshold: number },
  { namespace, signal }: Place,
): Promise<{ shares: string[]; threshold: number; rootToken: string }> {
  const [first = { name: "vault-0" }] = found.pods;
  const withToken = (token: string | undefined) => new Vault(road, first.name, { signal }, token);
  const { rootToken, made } = await proveShares(withToken, given);
  if (found.peers === undefined) {
    const problems = voterProblems((await peersOf(withToken(rootToken))) ?? [], found.pods, namespace);
    if (problems.length > 0 && made) await revoke(withToken(rootToken));
    refuse(problems);
  }
  return { shares: given.shares, threshold: given.threshold, rootToken };
}
