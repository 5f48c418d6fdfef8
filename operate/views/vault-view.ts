import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { Health, SealStatus } from "../../steps/lib/vault-answers.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";

/** What a node is, as its own health answer has it. */
export type NodeState = "active" | "standby" | "sealed" | "not initialised" | "removed";

/** What one node says of itself. Nothing of it needs a token. */
export interface VaultNode {
  initialised: boolean;
  sealed: boolean;
  /** Shares sent so far towards the threshold. */
  progress: number;
  threshold: number;
  shares: number;
  state: NodeState;
  /** What unseals it by itself, such as transit; absent where key shares do. */
  seal?: string;
  version: string;
  /** Known while unsealed. */
  clusterId?: string;
  /** Whether it says that it leads; not known of a sealed node. */
  leads?: boolean;
  /** The API address of the leader that it follows; empty where it knows none. */
  leaderAddress?: string;
  committedIndex?: number;
  appliedIndex?: number;
  /** Its clock less this machine's, in milliseconds; Vault tells whole seconds, so up to 1 s of it may be rounding. */
  clockAheadMs: number;
  /** Of a standby: the active node's clock less its own, in milliseconds. */
  clockSkewMs?: number;
  /** Of a standby: whether its heartbeats reach the active node. */
  reachesActive?: boolean;
}

/** Asks one node. Throws where it does not answer. */
export async function vaultView(road: Road, node: string, signal: AbortSignal): Promise<VaultNode> {
  const vault = new Vault(road, node, { signal });
  try {
    const seal = await vault.sealStatus();
    const asked = Date.now();
    const health = await vault.health();
    const answered = Date.now();
    // A sealed node answers 503.
    const leader = await vault.leader().catch((error) => {
      if (error instanceof VaultError) return undefined;
      throw error;
    });
    const { removed_from_cluster: removed = health.removed_from_cluster } = seal;
    return {
      initialised: seal.initialized,
      sealed: seal.sealed,
      progress: seal.progress,
      threshold: seal.t,
      shares: seal.n,
      state: removed ? "removed" : stateOf(seal, health),
      ...(seal.type !== "shamir" && { seal: seal.type }),
      version: seal.version,
      clockAheadMs: skew(health.server_time_utc * 1000, asked, answered),
      ...(health.standby && { clockSkewMs: health.clock_skew_ms ?? 0 }),
      ...(seal.cluster_id !== undefined && { clusterId: seal.cluster_id }),
      ...(health.ha_connection_healthy !== undefined && { reachesActive: health.ha_connection_healthy }),
      ...(leader && {
        leads: leader.is_self,
        leaderAddress: leader.leader_address,
        committedIndex: leader.raft_committed_index ?? 0,
        appliedIndex: leader.raft_applied_index ?? 0,
      }),
    };
  } finally {
    vault.close();
  }
}

function stateOf({ initialized, sealed }: SealStatus, { standby }: Health): NodeState {
  if (!initialized) return "not initialised";
  if (sealed) return "sealed";
  return standby ? "standby" : "active";
}

/**
 * How far a clock is ahead, at least: it read `second` (cut down to the whole second) at some time between `asked`
 * and `answered`.
 */
export function skew(second: number, asked: number, answered: number): number {
  if (second > answered) return second - answered;
  if (second + 999 < asked) return second + 999 - asked;
  return 0;
}
