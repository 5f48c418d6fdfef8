import { NotYet, Unreachable } from "./errors.ts";
import { refuseDowngrade, sayVersions } from "./rollout-versions.ts";
import { saveSnapshot } from "./snapshot.ts";
import { snapshotFolder } from "./snapshot-record.ts";
import { type Unsealing, unsealNode } from "./unseal.ts";
import type { Vault } from "./vault.ts";
import { isHealthyVoter, whyNoVoter } from "./voters.ts";
import { until, type Waiting, within } from "./wait.ts";

/** How long the other nodes may take to be healthy before one is restarted, in seconds: autopilot looks every 10 s. */
const healthySeconds = 120;

/** The nodes of a Vault that may run something else than the release says. */
export interface RollingNodes {
  /** All nodes, in the order of their names. */
  names: readonly string[];
  /** Whether a node runs, and shows another certificate than it was given. */
  isStale(node: string): Promise<boolean>;
  /** Has a node take up its certificate, without a restart. Throws NotYet until it shows that. */
  reload(node: string): Promise<void>;
  /**
   * Whether a node is believed to lead, without asking it: one whose authority has changed cannot be asked before it
   * has taken up its certificate.
   */
  seemsToLead(node: string): Promise<boolean>;
  /** Whether a node was made from an older template than the release has. Throws NotYet where that is not known yet. */
  isOutdated(node: string): Promise<boolean>;
  /** The image that the release says, such as hashicorp/vault:1.21.1. Throws NotYet where that is not known yet. */
  image(): Promise<string>;
  /** Starts a node anew. Throws NotYet until it runs as the release says; it is sealed then. */
  restart(node: string): Promise<void>;
  /** The node's API, as it is spoken to now: it may change its scheme and its authority with a restart. */
  vault(node: string): Promise<Vault>;
}

/** How the nodes are unsealed, and what the messages name. */
export type Opening = Pick<
  Unsealing,
  "stack" | "stackDir" | "reach" | "seal" | "shares" | "byHolders" | "threshold"
>;

/** What was done, in its order. */
export interface RolledOut {
  reloaded: string[];
  restarted: string[];
  /** The snapshot that was saved before the first restart. */
  snapshot?: string;
}

/**
 * Brings every node to what the release says, one at a time: those that stand by first, the one that leads last. A node
 * is restarted only while the others can do without it, and the next one only when it is a healthy voter again that has
 * every write. A snapshot is saved before the first restart. Where it was cut off, it goes on.
 *
 * @throws StepError where the release would take a node back to an older Vault, and nothing was changed; where the others
 * cannot do without a node, or at the deadline, with what it waited for, and the nodes after it are as they were
 */
export async function rollOut(nodes: RollingNodes, opening: Opening, step: Waiting): Promise<RolledOut> {
  const which = async (what: string, ask: (node: string) => Promise<boolean>) => {
    const found: string[] = [];
    for (const node of nodes.names)
      if (await until(`what ${node} ${what}`, () => ask(node), step)) found.push(node);
    return found;
  };
  const stale = await which("shows", (node) => nodes.isStale(node));
  const outdated = await which("runs", (node) => nodes.isOutdated(node));
  if (stale.length + outdated.length === 0) step.say("every node runs what the release says");
  if (outdated.length > 0) await refuseDowngrade(nodes, opening, step);

  const reloaded = await leadersLast(stale, (node) => nodes.seemsToLead(node));
  for (const node of reloaded) {
    await until(`${node} to show its new certificate`, () => nodes.reload(node), step);
    step.say(`${node} shows its new certificate`);
  }
  if (outdated.length === 0) return { reloaded, restarted: [] };

  // What a former run restarted, or somebody else, is sealed: the others may need it for a majority.
  for (const node of nodes.names)
    if (!outdated.includes(node) || (await answers(node, nodes)))
      await unsealIfSealed(node, nodes, opening, step);
  const restarted = await leadersLast(outdated, (node) => isLeader(node, nodes));
  step.say(`to be started anew: ${restarted.join(", then ")}`);
  const snapshot = await saveBefore(nodes, opening, step);
  for (const node of restarted) await restart(node, nodes, opening, step);
  await sayVersions(nodes, step);
  return { reloaded, restarted, ...(snapshot !== undefined && { snapshot }) };
}

/**
 * Saves the way back from what the new version may do to the data. A run that goes on saves another one. Where a single
 * node cannot serve as it is, there is nobody to ask for one, and its restart is what may mend it.
 */
async function saveBefore(
  nodes: RollingNodes,
  { stack, stackDir }: Opening,
  step: Waiting,
): Promise<string | undefined> {
  const [first = ""] = nodes.names;
  if (nodes.names.length === 1 && !(await isLeader(first, nodes))) {
    step.say(
      `no snapshot can be saved: ${first} does not serve as it is. What it has stored is on its volume`,
    );
    return undefined;
  }
  const leader = await until("a node to lead", () => leaderOf(nodes), limited(step));
  try {
    const said = { ...step, say: (line: string) => step.say(`snapshot ${line}`) };
    return (await saveSnapshot(leader, snapshotFolder(stackDir), stack, said)).file;
  } finally {
    leader.close();
  }
}

async function unsealed(node: string, nodes: RollingNodes): Promise<void> {
  const vault = await nodes.vault(node);
  const { sealed } = await vault.sealStatus().finally(() => vault.close());
  if (sealed) throw new NotYet(`${node} is sealed`);
}

/** A wait that is to end long before the step does. */
function limited(step: Waiting): Waiting {
  const limit = within(step, healthySeconds);
  return limit.deadline < step.deadline ? limit : step;
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

async function leadersLast(
  nodes: readonly string[],
  leads: (node: string) => Promise<boolean>,
): Promise<string[]> {
  const led = await Promise.all(nodes.map(leads));
  return [...nodes.filter((_, at) => !led[at]), ...nodes.filter((_, at) => led[at])];
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
    await until(`the others to do without ${node}`, () => othersHealthy(node, nodes, step), limited(step));
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

/**
 * Whether every other server of the cluster is a healthy voter. That is autopilot's failure tolerance of at least 1 for
 * the servers that it counts on; and where it counts on this one no more, the others are what keeps Vault up.
 */
async function othersHealthy(node: string, nodes: RollingNodes, step: Waiting): Promise<void> {
  const leader = await leaderOf(nodes);
  try {
    const state = await leader.autopilotState();
    const others = Object.keys(state.servers).filter((server) => server !== node);
    const sick = others.find((server) => !isHealthyVoter(state, server));
    if (sick !== undefined)
      throw new NotYet(`failure tolerance ${state.failure_tolerance}; ${whyNoVoter(state, sick)}`);
    // Autopilot takes ten seconds to see that one is gone.
    for (const other of others) if (nodes.names.includes(other)) await unsealed(other, nodes);
    if (others.length === 1) step.say(`of 2 voters none may fail: clients wait until ${node} is back`);
    else if (isHealthyVoter(state, node) && state.failure_tolerance < 1)
      throw new NotYet(`failure tolerance ${state.failure_tolerance}, autopilot counts on too few voters`);
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
