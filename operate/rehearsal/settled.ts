import { NotYet } from "../../steps/lib/errors.ts";
import type { Vault } from "../../steps/lib/vault.ts";

/**
 * How long after it was unsealed a node may run Raft with three times its timers, in seconds: "bigger values for first
 * election" in SetupCluster of vault/physical/raft/raft.go, for one to two of the tripled timeouts of 1 s times the
 * multiplier. A leader that is ended meanwhile is replaced later than the multiplier lets expect.
 */
export function settleSeconds(performanceMultiplier: number): number {
  return 6 * performanceMultiplier;
}

/**
 * Throws NotYet until every node has been well for so long, in autopilot's eyes.
 * @param unsealedAt when a node was last unsealed, ms since the epoch: autopilot overlooks a short absence
 */
export async function settled(leader: Vault, seconds: number, unsealedAt: number): Promise<void> {
  const { servers } = await leader.autopilotState();
  const since = Object.values(servers).map(
    ({ stable_since }) => Date.parse(stable_since ?? "") || Date.now(),
  );
  const well = (Date.now() - Math.max(unsealedAt, ...since)) / 1000;
  if (well < seconds)
    throw new NotYet(`all nodes are well for ${Math.max(0, Math.floor(well))} s of ${seconds} s`);
}
