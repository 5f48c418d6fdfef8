import { NotYet, StepError } from "./errors.ts";
import type { Vault } from "./vault.ts";
import type { AutopilotState } from "./vault-answers.ts";
import { isHealthyVoter, whyNoVoter } from "./voters.ts";
import { mayPass, until, type Waiting } from "./wait.ts";

/** The nodes of a Vault of which some are to leave. */
export interface LeavingNodes {
  /** Those that the stack goes on with. */
  staying: readonly string[];
  /** Those that it does not, in the order of their names. */
  leaving: readonly string[];
  /** A node's API. It is closed by who asked for it. */
  vault(node: string): Promise<Vault>;
  /** Has the volume of a node that has left go with its pod: what is in it is out of date from now on. */
  giveUpVolume(node: string): Promise<void>;
}

/**
 * Takes nodes out of the raft configuration, one at a time: those that are away first, then the highest number, one that
 * leads last, after it has handed over. Before each, every node that stays has to be a healthy voter. So a majority of
 * those that are configured lives at each moment, where it did before. Nodes that have left before are left alone: where it was cut off, it goes on.
 *
 * @returns the nodes that have left now, in their order
 * @throws StepError where a node that stays is not healthy until the deadline; nobody leaves then
 */
export async function leave(nodes: LeavingNodes, next: string, step: Waiting): Promise<string[]> {
  const { staying, leaving } = nodes;
  const left: string[] = [];
  for (;;) {
    const { leader, peers, counting } = await until(
      `${staying.join(", ")} to be healthy voters, so that ${leaving.join(", ")} can leave`,
      () => whoLeads(nodes),
      step,
      next,
    );
    try {
      const there = leaving.filter((node) => peers.includes(node)).reverse();
      const others = there.filter((each) => each !== leader.node);
      // One that is away goes first: until then one that is well may be what a majority needs.
      const node = others.find((each) => !counting.includes(each)) ?? others[0] ?? there[0];
      if (node === undefined) break;
      if (node === leader.node) {
        step.say(`${node} leads and hands over`);
        await leader.stepDown();
        await until(`another node than ${node} to lead`, () => anotherLeads(node, nodes), step, next);
        continue;
      }
      step.say(`${node} leaves: ${peers.length} peers become ${peers.length - 1}`);
      await leader.removePeer(node);
      await until(`${node} to have left`, () => hasLeft(leader, node), step, next);
      left.push(node);
    } finally {
      leader.close();
    }
  }
  // Also those that a run which was cut off has taken out.
  for (const node of leaving) await nodes.giveUpVolume(node);
  return left;
}

/**
 * The leader, which the caller closes; all peers; and which of those that leave are well until then. Throws NotYet as
 * long as a staying node is no healthy voter.
 */
async function whoLeads(
  nodes: LeavingNodes,
): Promise<{ leader: Vault; peers: string[]; counting: string[] }> {
  // Autopilot takes ten seconds to see that a node is gone, so each is asked itself as well.
  for (const node of nodes.staying) await unsealed(node, nodes);
  const leader = await leaderOf([...nodes.staying, ...nodes.leaving], nodes);
  try {
    const state: AutopilotState["data"] = await leader.autopilotState();
    const sick = nodes.staying.filter((node) => !isHealthyVoter(state, node));
    if (sick.length > 0) throw new NotYet(sick.map((node) => whyNoVoter(state, node)).join("; "));
    const peers = (await leader.raftServers()).map(({ node_id }) => node_id);
    const counting: string[] = [];
    for (const node of nodes.leaving)
      if (isHealthyVoter(state, node) && (await isUnsealed(node, nodes))) counting.push(node);
    return { leader, peers, counting };
  } catch (error) {
    leader.close();
    throw error;
  }
}

async function unsealed(node: string, nodes: LeavingNodes): Promise<void> {
  const vault = await nodes.vault(node);
  try {
    const { initialized, sealed } = await vault.sealStatus();
    if (!initialized || sealed) throw new NotYet(`${node} is ${initialized ? "sealed" : "not initialised"}`);
  } finally {
    vault.close();
  }
}

async function isUnsealed(node: string, nodes: LeavingNodes): Promise<boolean> {
  return await unsealed(node, nodes).then(
    () => true,
    (error) => {
      if (mayPass(error)) return false;
      throw error;
    },
  );
}

async function leaderOf(names: readonly string[], nodes: LeavingNodes): Promise<Vault> {
  const seen: string[] = [];
  for (const name of names) {
    const vault = await nodes.vault(name).catch((error) => {
      if (!(error instanceof NotYet)) throw error;
      seen.push(error.message);
      return undefined;
    });
    const leads = await vault?.leader().catch((error) => void seen.push(error.message));
    if (vault !== undefined && leads?.is_self) return vault;
    vault?.close();
  }
  throw new NotYet(seen.length > 0 ? `nobody leads: ${seen.join("; ")}` : "no node says that it leads");
}

async function anotherLeads(node: string, nodes: LeavingNodes): Promise<void> {
  const leader = await leaderOf([...nodes.staying, ...nodes.leaving], nodes);
  leader.close();
  if (leader.node === node) throw new NotYet(`${node} still leads`);
}

async function hasLeft(leader: Vault, node: string): Promise<void> {
  const servers = await leader.raftServers();
  if (servers.some(({ node_id }) => node_id === node)) throw new NotYet(`${node} is still a peer`);
  const state = await leader.autopilotState();
  if (state.servers[node] !== undefined) throw new NotYet(`autopilot still counts ${node}`);
}

/** The refusal where there is no token to take a peer out with. */
export function refuseWithoutToken(leaving: readonly string[], stack: string): StepError {
  return new StepError(
    `${leaving.join(", ")} cannot leave: neither this machine's journal nor the stack's state has a token for Vault. Nothing was changed`,
    `pulumi stack output rootToken --show-secrets --stack ${stack}`,
  );
}
