import { NotYet, StepError, Unreachable } from "./errors.ts";
import { type Unsealing, unsealNode } from "./unseal.ts";
import type { Vault } from "./vault.ts";
import { isOlder } from "./version.ts";
import { isHealthyVoter, whyNoVoter } from "./voters.ts";
import { until, type Waiting } from "./wait.ts";

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
  /** Starts a node anew. Throws NotYet until it runs as the release says; it is sealed then. */
  restart(node: string): Promise<void>;
  /** The version of Vault that the release wants; undefined where its image's tag is no version. */
  wantedVersion(): Promise<string | undefined>;
  /** The node's API, as it is spoken to now: it may change its scheme and its authority with a restart. */
  vault(node: string): Promise<Vault>;
}

/** How the nodes are unsealed, and what the messages name. */
export interface Opening extends Pick<Unsealing, "stack" | "stackDir" | "reach" | "shares" | "threshold"> {
  /** Saves a snapshot from the node that leads, before the first one is restarted: the way back. */
  snapshot(leader: Vault): Promise<unknown>;
}

/** How long a node may take to lead, where a snapshot is wanted and none does yet, in seconds. */
const leaderSeconds = 30;

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
  const which = async (what: string, ask: (node: string) => Promise<boolean>) => {
    const found: string[] = [];
    for (const node of nodes.names)
      if (await until(`what ${node} ${what}`, () => ask(node), step)) found.push(node);
    return found;
  };
  const stale = await which("shows", (node) => nodes.isStale(node));
  const outdated = await which("runs", (node) => nodes.isOutdated(node));
  if (stale.length + outdated.length === 0) step.say("every node runs what the release says");

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
  await snapshotFirst(nodes, opening, step);
  const restarted = await leadersLast(outdated, (node) => isLeader(node, nodes));
  step.say(`to be started anew: ${restarted.join(", then ")}`);
  for (const node of restarted) await restart(node, nodes, opening, step);
  await sayVersions(nodes, step);
  return { reloaded, restarted };
}

/**
 * Refuses to put an older Vault on what a newer one leads, and saves the way back. Nodes of which none leads have to be
 * mended first; a restart is what may do that.
 */
async function snapshotFirst(nodes: RollingNodes, opening: Opening, step: Waiting): Promise<void> {
  const leader = await until("a node to lead", () => leaderOf(nodes), {
    ...step,
    deadline: Math.min(step.deadline, Date.now() + leaderSeconds * 1000),
  }).catch((error) => {
    if (!(error instanceof StepError)) throw error;
    step.say(`no snapshot is taken before the restart: ${error.message}`);
    return undefined;
  });
  if (leader === undefined) return;
  try {
    const [{ version }, wanted] = [await leader.sealStatus(), await nodes.wantedVersion()];
    if (wanted !== undefined && isOlder(wanted, version))
      throw new StepError(
        `Vault ${version} leads, and the release wants ${wanted}: Vault does not read what a newer one has stored. No node was restarted. Put the version back; to go to an older one, restore a snapshot from before the upgrade into a Vault of that version`,
        "npm run snapshot list",
      );
    await opening.snapshot(leader);
  } finally {
    leader.close();
  }
}

/** Which version each node runs now. Throws where they are several: a node was not restarted with the release's image. */
async function sayVersions(nodes: RollingNodes, step: Waiting): Promise<void> {
  const versions = await Promise.all(
    nodes.names.map(async (node) => {
      const vault = await nodes.vault(node);
      return await vault
        .sealStatus()
        .then(({ version }) => version)
        .finally(() => vault.close());
    }),
  );
  const all = nodes.names.map((node, at) => `${node} ${versions[at]}`);
  const [first] = versions;
  if (versions.some((version) => version !== first))
    throw new StepError(`the nodes run several versions of Vault: ${all.join(", ")}`);
  step.say(`every node runs Vault ${first}`);
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
