import type { Road } from "../../steps/lib/road.ts";
import type { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { VaultKeys } from "../open-vault.ts";

/** The Vault that a snapshot is restored into, as it runs before. */
export interface Restored extends Pick<Target, "stack" | "stackDir" | "reach"> {
  road: Road;
  /** The pods that the stack runs, vault-0 first. */
  pods: readonly string[];
  keys: VaultKeys;
}

/** What a restore works with. */
export interface Restoring extends Restored {
  /** The snapshot. */
  file: string;
  /**
   * The id of the Vault that the snapshot is of, where its shares are others than those of the Vault that runs: another
   * Vault's, or its own before they were changed. Vault then does not check whose it is (snapshot-force).
   */
  fromCluster: string | undefined;
  /** Starts a node's process anew; it is sealed then. */
  restart(node: string): Promise<void>;
  /** How long each wait may take, in seconds. */
  timeoutSeconds: number;
  say(line: string): void;
  signal: AbortSignal;
}

/** Every node, asked with this token. */
export function vaultsWith(
  { road, pods, signal }: Pick<Restoring, "road" | "pods" | "signal">,
  token: string | undefined,
): Vault[] {
  return pods.map((pod) => new Vault(road, pod, { signal }, token));
}
