import { NotYet, StepError } from "./errors.ts";
import type { Step } from "./io.ts";
import { peerName, type Road } from "./road.ts";
import { quickenPromotion } from "./stabilization.ts";
import { kubectl, type Target, upAgain } from "./target.ts";
import type { JoinCall, Vault } from "./vault.ts";
import { VaultError } from "./vault-error.ts";
import { until } from "./wait.ts";

/**
 * Has a blank node join the cluster that a member belongs to, when no other node is joining. It has joined for good
 * when it is unsealed and has its vote.
 * @returns the leader through which it joins
 * @throws StepError where the node's old self has a vote, Vault refuses, or at the deadline
 */
export async function joinCluster(
  joining: Vault,
  member: Vault,
  road: Road,
  input: Target,
  step: Step,
): Promise<string> {
  const pod = joining.node;
  const leader = await until(
    `the cluster to be ready for ${pod}`,
    () => readyLeader(member, pod, step),
    step,
  );
  await quickenPromotion(member, step);
  await join(joining, leader, road, input, step);
  return leader;
}

/** The node that leads, once no other join is under way; throws where the node's old self still has a vote. */
async function readyLeader(member: Vault, pod: string, step: Step): Promise<string> {
  const servers = await member.raftServers();
  const old = servers.find(({ node_id }) => node_id === pod);
  if (old?.voter) {
    throw new StepError(
      `${pod} is blank, but stands in the raft configuration with a vote (${old.address}): its store was replaced. Joining under the same name would let it vote twice. Take the old one out first, while the others are healthy`,
      `vault operator raft remove-peer ${pod}`,
    );
  }
  // Two joins at once can eject a node on a slow machine (hashicorp/vault#32099).
  const other = servers.find(({ node_id, voter }) => !voter && node_id !== pod);
  if (other !== undefined) throw new NotYet(`${other.node_id} is joining and has no vote yet`);
  const leader = servers.find(({ leader }) => leader);
  if (leader === undefined) throw new NotYet("the cluster has no leader");
  if (old !== undefined) step.say("a former join did not finish; joining again");
  return leader.node_id;
}

/**
 * Asks until the node has taken the call. It fails with 500 while the node does not find the leader: the name of a pod
 * that has just begun to run is not known to the cluster's DNS for some seconds.
 */
async function join(joining: Vault, leader: string, road: Road, input: Target, step: Step): Promise<void> {
  const { scheme } = input;
  const caCert = await until(
    "the authority of the nodes' certificates",
    () => road.authority(step.signal),
    step,
  );
  const call: JoinCall = {
    leader_api_addr: road.peerAddress(leader),
    ...(scheme === "https" && { leader_tls_servername: peerName(leader) }),
    ...(scheme === "https" && caCert !== undefined && { leader_ca_cert: caCert }),
    retry: false,
  };
  const ask = async () => {
    try {
      await joining.join(call);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      // The answer to an earlier call may have been lost on its way.
      if ((await joining.sealStatus()).initialized) return;
      if (error.mayPass) throw error;
      throw new StepError(
        `${error.message}. ${joining.node} was to join through ${call.leader_api_addr}, and is as blank as before`,
        upAgain(input),
      );
    }
  };
  const log = kubectl(input, `logs ${joining.node} --tail 50`);
  await until(`${joining.node} to join through ${call.leader_api_addr}`, ask, step, log);
  step.say(`joins through ${call.leader_api_addr}`);
}
