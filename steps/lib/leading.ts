import { NotYet, words } from "./errors.ts";
import type { Vault } from "./vault.ts";
import { mayPass } from "./wait.ts";

/** The first of these nodes that says that it leads. Throws NotYet where none does, with what each says. */
export async function leaderAmong(vaults: readonly Vault[]): Promise<Vault> {
  const seen: string[] = [];
  for (const vault of vaults) {
    try {
      const { sealed, initialized } = await vault.sealStatus();
      if (!initialized || sealed) seen.push(`${vault.node} is ${initialized ? "sealed" : "not initialised"}`);
      else if ((await vault.leader()).is_self) return vault;
    } catch (error) {
      if (!mayPass(error)) throw error;
      seen.push(words(error));
    }
  }
  throw new NotYet(["no node says that it leads", ...seen].join("; "));
}
