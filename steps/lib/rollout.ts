import { NotYet, Unreachable } from "./errors.ts";
import { type Unsealing, unsealNode } from "./unseal.ts";
import type { Vault } from "./vault.ts";
import { isHealthyVoter, whyNoVoter } from "./voters.ts";
import { until, type Waiting } from "./wait.ts";

/** What a node needs so that it runs what the release says. */
export type Need = "restart" | "reload";

/** The nodes of a Vault that may run something else than the release says. */
export interface RollingNodes {
  /** All nodes, in the order of their names. */
  names: readonly string[];
  /** What a node needs now; undefined: nothing. Throws NotYet where that cannot be known yet. */
  need(node: string): Promise<Need | undefined>;
  /** The node's API, as it is spoken to now: it may change its scheme with a restart. */
  vault(node: string): Promise<Vault>;
  /** Starts the node anew; returns when it runs as the release says. It is sealed then. */
  restart(node: string): Promise<void>;
  /** Has it take up the certificate that it is to show, without a restart. Throws NotYet until it shows that. */
  reload(node: string): Promise<void>;
}

/** How the nodes are unsealed, and what the messages name. */
export type Opening = Pick<Unsealing, "stack" | "stackDir" | "reach" | "shares" | "threshold">;

/** What was done, in its order. */
export interface RolledOut {
  reloaded: string[];
  restarted: string[];
}

/**
 * Brings every node to what the release says, one at a time: those that stand by first, the one that leads last. A node
 * is restarted only while the others can do without it, and the next one only when it is a healthy voter again that has
 * every write. Where it was cut off, it goes on.
 *
 * @throws StepError at the deadline, with the node that it waited for; the nodes after it are as they were
 */
export async function rollOut(nodes: RollingNodes, opening: Opening, step: Waiting): Promise<RolledOut> {
  const done: RolledOut = { reloaded: [], restarted: [] };
  const needs = new Map<string, Need>();
  for (const node of nodes.names) {
    const need = await until(`what ${node} needs`, () => nodes.need(node), step);
    if (need !== undefined) needs.set(node, need);
  }
  if (needs.size === 0) {
    step.say("every node runs what the release says");
    return done;
  }
  // What a former run restarted, or somebody else: a majority may need it.
  for (const node of nodes.names)
    if (needs.get(node) !== "restart" || (await answers(node, nodes)))
      await unsealIfSealed(node, nodes, opening, step);
  const order = await standbysFirst([...needs.keys()], nodes);
  step.say(order.map((node) => `${node}: ${needs.get(node)}`).join(", then "));
  for (const node of order) {
    if (needs.get(node) === "reload") {
      await until(`${node} to show its new certificate`, () => nodes.reload(node), step);
      step.say(`${node} shows its new certificate`);
      done.reloaded.push(node);
    } else {
      await restart(node, nodes, opening, step);
      done.restarted.push(node);
    }
  }
  return done;
}

/** Unseals a node that is initialised and sealed. @returns whether it is initialised: one that never joined is not */
async function unsealIfSealed(
  node: string,
  nodes: RollingNodes,
  opening: Opening,
  step: Waiting,
): Promise<boolean> {
  const vault = await nodes.vault(node);
  try {
    const { initialized, sealed } = await until(`${node} to answer`, () => vault.sealStatus(), step);
    if (initialized && sealed) await unsealNode(vault, opening, named(node, step));
    return initialized;
  } finally {
    vault.close();
  }
}

/** Whether it answers now: one that cannot run as it is will not answer before its restart. */
async function answers(node: string, nodes: RollingNodes): Promise<boolean> {
  const vault = await nodes.vault(node);
  return await vault
    .sealStatus()
    .then(() => true)
    .catch((error) => {
      if (error instanceof Unreachable) return false;
      throw error;
    })
    .finally(() => vault.close());
}

/** The node that says that it leads comes last. */
async function standbysFirst(order: string[], nodes: RollingNodes): Promise<string[]> {
  const leads = await Promise.all(order.map((node) => isLeader(node, nodes)));
  return [...order.filter((_, at) => !leads[at]), ...order.filter((_, at) => leads[at])];
}

async function isLeader(node: string, nodes: RollingNodes): Promise<boolean> {
  const vault = await nodes.vault(node);
  // One that does not answer does not lead, or will not for long.
  return await vault
    .leader()
    .then(
      ({ is_self }) => is_self,
      () => false,
    )
    .finally(() => vault.close());
}

async function restart(node: string, nodes: RollingNodes, opening: Opening, step: Waiting): Promise<void> {
  if (nodes.names.length > 1) {
    await until(`the others to do without ${node}`, () => othersHealthy(node, nodes), step);
    await handOver(node, nodes, step);
  }
  step.say(`${node} is started anew`);
  await until(`${node} to run again`, () => nodes.restart(node), step);
  if (!(await unsealIfSealed(node, nodes, opening, step))) return;
  await until(`${node} to be a healthy voter with every write`, () => caughtUp(node, nodes), step);
  step.say(`${node} is a healthy voter again`);
}

/** Has a node that leads hand over, so that nobody has to find out that it is gone. */
async function handOver(node: string, nodes: RollingNodes, step: Waiting): Promise<void> {
  if (!(await isLeader(node, nodes))) return;
  const vault = await nodes.vault(node);
  try {
    step.say(`${node} leads and hands over`);
    await vault.stepDown();
  } finally {
    vault.close();
  }
  const successor = async () => {
    for (const other of nodes.names) if (other !== node && (await isLeader(other, nodes))) return other;
    throw new NotYet(`no other node than ${node} leads`);
  };
  step.say(`${await until(`another node than ${node} to lead`, successor, step)} leads`);
}

/** Whether every other server of the cluster is a healthy voter: they are a majority, whatever this one is. */
async function othersHealthy(node: string, nodes: RollingNodes): Promise<void> {
  const leader = await leaderOf(nodes);
  try {
    const state = await leader.autopilotState();
    const others = Object.keys(state.servers).filter((server) => server !== node);
    const sick = others.find((server) => !isHealthyVoter(state, server));
    if (sick !== undefined) throw new NotYet(whyNoVoter(state, sick));
  } finally {
    leader.close();
  }
}

async function leaderOf(nodes: RollingNodes): Promise<Vault> {
  for (const node of nodes.names) if (await isLeader(node, nodes)) return await nodes.vault(node);
  throw new NotYet("no node says that it leads");
}

/** Whether it has its vote, and has applied what the leader had committed when this began to look. */
async function caughtUp(node: string, nodes: RollingNodes): Promise<void> {
  const leader = await leaderOf(nodes);
  const vault = await nodes.vault(node);
  try {
    const { raft_committed_index: committed = 0 } = await leader.leader();
    const state = await leader.autopilotState();
    if (!isHealthyVoter(state, node)) throw new NotYet(whyNoVoter(state, node));
    const { raft_applied_index: applied = 0 } = await vault.leader();
    if (applied < committed) throw new NotYet(`${node} has applied raft index ${applied} of ${committed}`);
  } finally {
    for (const each of [leader, vault]) each.close();
  }
}

/** What is said of one node, under its name. */
const named = (node: string, step: Waiting): Waiting => ({
  ...step,
  say: (line) => step.say(`${node} ${line}`),
});
