import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";

/** One server of the Raft configuration. */
export interface RaftServer {
  node: string;
  /** Its cluster address, such as vault-1.vault-internal:8201. */
  address: string;
  leader: boolean;
  voter: boolean;
  /** What autopilot says of it; not known of one that autopilot does not see. */
  healthy?: boolean;
  /** Since when autopilot sees it in this state. */
  stableSince?: string;
  lastIndex?: number;
}

/** The Raft configuration and autopilot's opinion, as the leader has them. */
export interface RaftView {
  /** The node that was asked. */
  asked: string;
  servers: RaftServer[];
  /** How many voters may fail before the cluster stands still. */
  failureTolerance: number;
}

/** Asks one node, which forwards to the leader. Throws with Vault's own words where there is none. */
export async function raftView(
  road: Road,
  node: string,
  token: string,
  signal: AbortSignal,
): Promise<RaftView> {
  const vault = new Vault(road, node, { signal }, token);
  try {
    const servers = await vault.raftServers();
    const autopilot = await vault.autopilotState();
    return {
      asked: node,
      failureTolerance: autopilot.failure_tolerance,
      servers: servers.map(({ node_id, address, leader, voter }) => {
        const seen = autopilot.servers[node_id];
        return {
          node: node_id,
          address,
          leader,
          voter,
          ...(seen && { healthy: seen.healthy, lastIndex: seen.last_index }),
          ...(seen?.stable_since && { stableSince: seen.stable_since }),
        };
      }),
    };
  } finally {
    vault.close();
  }
}
