/** Brings the nodes of a running Vault to what its release says. */
import { limited, restart, unsealIfSealed } from "./restart-node.ts";
import {
  answers,
  isLeader,
  leaderOf,
  leadersLast,
  type Opening,
  type RollingNodes,
} from "./rolling-nodes.ts";
import { refuseDowngrade, sayVersions } from "./rollout-versions.ts";
import { saveSnapshot } from "./snapshot.ts";
import { snapshotFolder } from "./snapshot-record.ts";
import { until, type Waiting } from "./wait.ts";

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
