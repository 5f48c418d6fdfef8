/** One node started anew, while the others do without it. */
import { NotYet } from "./errors.ts";
import { isLeader, leaderOf, type Opening, type RollingNodes, unsealed } from "./rolling-nodes.ts";
import { unsealNode } from "./unseal.ts";
import { isHealthyVoter, whyNoVoter } from "./voters.ts";
import { until, type Waiting, within } from "./wait.ts";

/** How long the other nodes may take to be healthy before one is restarted, in seconds: autopilot looks every 10 s. */
const healthySeconds = 120;

/** A wait that is to end long before the step does. */
export function limited(step: Waiting): Waiting {
  const limit = within(step, healthySeconds);
  return limit.deadline < step.deadline ? limit : step;
}

/**
 * Starts a node anew once the others can do without it, and waits until it is a healthy voter that has every write. One
 * that leads hands over first; one that never joined is only started.
 * @throws StepError at the deadline, with what it waited for
 */
export async function restart(
  node: string,
  nodes: RollingNodes,
  opening: Opening,
  step: Waiting,
): Promise<void> {
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

/** Unseals a node that is initialised and sealed. @returns whether it is initialised: one that never joined is not */
export async function unsealIfSealed(
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
