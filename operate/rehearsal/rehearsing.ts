/** What a rehearsal works with, and what its parts share. */
import type { Road } from "../../steps/lib/road.ts";
import { kubectl, type Target } from "../../steps/lib/target.ts";
import { unsealNode } from "../../steps/lib/unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { until, within } from "../../steps/lib/wait.ts";
import type { VaultKeys } from "../open-vault.ts";
import type { Aimed, Killer } from "./killers.ts";

/** The Vault that is rehearsed on. */
export interface RehearsedVault {
  target: Pick<Target, "stack" | "stackDir" | "reach">;
  road: Road;
  pods: readonly string[];
  keys: VaultKeys;
}

/** What a round works with. */
export interface Rehearsing {
  vault: RehearsedVault;
  /** A client of each node, with the root token. */
  vaults: readonly Vault[];
  killer: Killer;
  mount: string;
  say(line: string): void;
  signal: AbortSignal;
  /** How long all nodes have to be well before a leader is ended. */
  settleSeconds: number;
  /** The longest that bringing a node back may take, in seconds. */
  backSeconds: number;
  /** When a node was last unsealed, ms since the epoch; 0 where none was. */
  unsealedAt: number;
  /** The node that is ended and not yet back; for whoever cleans up after an interrupt. */
  down?: { node: string; aimed: Aimed } | undefined;
}

/** Ends the node that is aimed at. Where that fails, the node is put back as it was. */
export async function kill(rehearsing: Rehearsing): Promise<void> {
  const aimed = rehearsing.down?.aimed;
  try {
    await aimed?.kill();
  } catch (error) {
    await aimed?.restore();
    rehearsing.down = undefined;
    throw error;
  }
}

/** Starts what was ended again, where it does not start by itself, waits until it runs, and unseals its Vault. */
export async function bringBack(rehearsing: Rehearsing): Promise<void> {
  const { vault, down } = rehearsing;
  if (down === undefined) return;
  const { node, aimed } = down;
  await aimed.restore();
  const step = within(rehearsing, rehearsing.backSeconds);
  const next = kubectl(vault.target, `describe pod ${node}`);
  await until(`${node} to be started again`, () => aimed.restarted(), step, next);
  const client = new Vault(vault.road, node, step);
  const processOf = () => vault.road.processOf(node, step.signal);
  const say = (line: string) => rehearsing.say(`${node}: ${line}`);
  await unsealNode(client, { ...vault.target, ...vault.keys, processOf }, { ...step, say });
  client.close();
  rehearsing.down = undefined;
  rehearsing.unsealedAt = Date.now();
}

/** A client of each node, with the root token. */
export function vaultsOf({ road, pods, keys }: RehearsedVault, signal: AbortSignal): Vault[] {
  return pods.map((pod) => new Vault(road, pod, { signal }, keys.rootToken));
}
