/** Nodes that are started anew, as the step `rollout` does it (steps/lib/rollout.ts). */
import { podNames } from "../../../steps/lib/road.ts";
import { snapshotFolder } from "../../../steps/lib/snapshot-record.ts";
import { type Explained, inOrder, inRow } from "../consequence.ts";
import type { Plan, RunningNode } from "../plan.ts";

/**
 * The restart of all nodes where something changes what their pods are made from; without a cause, of those that an
 * earlier run has left as they were.
 * @param causes what changes the pods' template
 */
export function restart(plan: Plan, causes: string[]): Explained[] {
  const { changes, running, settings } = plan;
  const known = running.nodes.filter(({ name }) => podNames(settings.vault.replicas).includes(name));
  const runs = changes.some(({ name, op }) => name === "lifecycle-rollout" && op === "update");
  const nodes = causes.length > 0 ? known : runs ? known.filter(({ outdated }) => outdated === true) : [];
  if (nodes.length === 0) return [];
  const because = causes.length > 0 ? causes : ["an earlier update did not restart them"];
  const names = changes.map(({ name }) => name);
  const covers = names.filter((name) => /^(vault-release|lifecycle-(rollout|verify|unseal-.*))$/.test(name));
  const serves = known.length > 1 || nodes[0]?.leads === true;
  const first = serves ? ` A snapshot is saved first, into ${snapshotFolder(plan.stackDir)}.` : "";
  const seal = settings.vault.seal?.type;
  const holders =
    settings.custody.mode === "pgp"
      ? ` The holders of the shares unseal each node before the next is restarted: have enough of them ready, with npm run unseal -- --stack ${plan.stack} --stay 60.`
      : "";
  const says = `${inWords(nodes, known.length, seal)}${first}${holders}`;
  return [{ verdict: "disruptive", says, because, covers }];
}

function inWords(nodes: RunningNode[], all: number, seal: string | undefined): string {
  const [first] = nodes;
  if (all === 1)
    return `${first?.name} is restarted and ${seal ? `unsealed by its seal ${seal}` : "unsealed"}. No other node stands in for it: clients wait until it is.`;
  const count = nodes.length === 1 ? "1 unseal" : `${nodes.length} unseals`;
  const unseals = seal ? `No unseals needed: the seal ${seal} does it` : count;
  const leader = nodes.find(({ leads }) => leads === true);
  const others = nodes.filter((node) => node !== leader).map(({ name }) => name);
  if (leader !== undefined) {
    const order = inOrder([...others, `${leader.name}, which leads and hands over first`]);
    return `A rolling restart, one node at a time, the leader last: ${order}. ${unseals}; clients see one change of leader.`;
  }
  if (nodes.length < all) return `A rolling restart, one node at a time: ${inOrder(others)}. ${unseals}.`;
  return `A rolling restart, one node at a time: ${inRow(others)}, the one that leads last. ${unseals}; clients see one change of leader.`;
}
