import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * Absolute path of the folder that keeps what is slow to make, outside the checkout and shared by all
 * checkouts of this user: $VAULT_HA_CACHE, else vault-ha in the XDG cache folder.
 * It may not exist yet. See the XDG Base Directory Specification for the second rule.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.VAULT_HA_CACHE) return resolve(env.VAULT_HA_CACHE);
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "vault-ha");
}
