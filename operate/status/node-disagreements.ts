import { commandsOf, type Named } from "../views/commands.ts";
import { ending } from "../views/kubernetes-view.ts";
import { unsealCommand } from "../views/unseal-command.ts";
import type { Views } from "../views/views.ts";
import type { Disagreement } from "./disagreement.ts";
import { shortContainer, shortUid } from "./names.ts";
import { nodeTlsDisagreements } from "./tls-disagreements.ts";

/** Everything in which the views do not agree about one node. */
export function nodeDisagreements(subject: Named, views: Views, node: string): Disagreement[] {
  const found = [
    ...runs(subject, views, node),
    ...nodeTlsDisagreements(subject, views, node),
    ...seal(subject, views, node),
    ...readiness(subject, views, node),
    ...membership(subject, views, node),
    ...claim(subject, views, node),
  ];
  return found.map(([id, says, next]) => ({ id, node, says: `${node}: ${says}`, next }));
}

type Found = [id: string, says: string, next: string];
type Look = (subject: Named, views: Views, node: string) => Found[];

const runs: Look = (subject, { kubernetes, vault, nodeTls, pulumi }, node) => {
  const { doctor } = commandsOf(subject);
  const pod = kubernetes?.value?.pods[node];
  if (kubernetes?.value && pod === undefined) {
    if (pulumi.nodes[node]?.done.length === 0) return [];
    return [["pod-gone", "Pulumi has its steps in the state, Kubernetes has no such pod", doctor]];
  }
  if (pod?.phase === ending) return [["pod-ending", "Kubernetes is deleting its pod", doctor]];
  if (pod && pod.container === undefined)
    return [["pod-not-running", `its pod does not run: ${pod.why ?? pod.phase}`, doctor]];
  const failed = vault[node]?.failed;
  // A Kubernetes that does not answer is told once, and not for each node.
  if (failed === undefined || kubernetes?.failed !== undefined) return [];
  // What is wrong with its TLS has words of its own.
  if (nodeTls[node]?.refused) return [];
  const but = pod ? "Kubernetes runs it, but " : "";
  return [["vault-unanswered", `${but}Vault does not answer: ${failed}`, doctor]];
};

const seal: Look = (subject, views, node) => {
  const { pulumi, kubernetes, vault } = views;
  const { up, doctor } = commandsOf(subject);
  const { value } = vault[node] ?? {};
  if (value === undefined) return [];
  if (value.state === "removed")
    return [["removed", "Vault says that it was removed from the cluster, and is sealed for good", doctor]];
  const known = pulumi.nodes[node];
  const now = kubernetes?.value?.pods[node]?.container;
  const other = known?.container !== undefined && now !== undefined && known.container !== now;
  const two = `Pulumi unsealed container ${shortContainer(known?.container ?? "")}, Kubernetes runs ${shortContainer(now ?? "")}`;
  if (!value.initialised)
    return known?.done.some((step) => step === "init" || step === "voter")
      ? [
          [
            "blank",
            "Pulumi has it in the cluster, Vault says that it is not initialised: its store is blank",
            doctor,
          ],
        ]
      : [];
  if (value.sealed && value.seal !== undefined)
    return [["sealed", `its seal ${value.seal} has not unsealed it`, doctor]];
  if (value.sealed) {
    const next = unsealCommand(subject, views, node);
    if (other) return [["sealed", `${two}, which is sealed: ${next} unseals it`, next]];
    if (now === undefined || known?.container === undefined)
      return [["sealed", "Vault says that it is sealed", next]];
    const same = `Pulumi unsealed container ${shortContainer(now)}, it still runs, and Vault says that it is sealed`;
    return [["sealed", same, next]];
  }
  if (other) return [["container-changed", `${two}, which is unsealed already; Pulumi does not know it`, up]];
  return [];
};

const readiness: Look = (subject, { kubernetes, vault }, node) => {
  const { kubectl } = commandsOf(subject);
  const pod = kubernetes?.value?.pods[node];
  const { value } = vault[node] ?? {};
  if (pod?.container === undefined || value === undefined) return [];
  const found: Found[] = [];
  const describe = kubectl(`describe pod ${node}`);
  if (pod.ready && value.sealed)
    found.push(["ready-but-sealed", "Kubernetes says Ready, Vault says sealed", describe]);
  if (!pod.ready && value.initialised && !value.sealed)
    found.push([
      "unsealed-but-not-ready",
      `Vault is unsealed, Kubernetes says not Ready: ${pod.why ?? pod.phase}`,
      describe,
    ]);
  const labels: [string, boolean, string][] = [
    ["vault-active", value.state === "active", "active"],
    ["vault-sealed", value.sealed, "sealed"],
    // A Vault that has been started labels its pod with false until it is unsealed.
    ...(value.sealed ? [] : [["vault-initialized", true, "initialised"] as [string, boolean, string]]),
  ];
  for (const [label, truth, word] of labels) {
    const labelled = pod.labels[label];
    if (labelled === undefined || labelled === String(truth)) continue;
    found.push([
      "label-differs",
      `its pod is labelled ${label}=${labelled}, Vault says ${truth ? word : `not ${word}`}; services choose pods by this label`,
      kubectl(`get pod ${node} --show-labels`),
    ]);
  }
  return found;
};

const membership: Look = (subject, { pulumi, raft, vault }, node) => {
  const { up, doctor } = commandsOf(subject);
  if (!raft.value) return [];
  const { done = [] } = pulumi.nodes[node] ?? {};
  const server = raft.value.servers.find((each) => each.node === node);
  if (server === undefined)
    return done.some((step) => step === "init" || step === "voter")
      ? [["not-in-raft", "Pulumi has it as a member, Raft does not know it", doctor]]
      : [];
  if (!server.voter) {
    const says = done.includes("voter")
      ? "Pulumi has it as a voter, Raft as a non-voter"
      : "has no vote in Raft yet";
    return [["non-voter", says, done.includes("voter") ? doctor : up]];
  }
  // One that is sealed or does not answer is told already.
  const serves = vault[node]?.value?.sealed === false;
  if (server.healthy !== false || !serves) return [];
  return [["unhealthy", "Vault is unsealed, autopilot calls it not healthy", doctor]];
};

const claim: Look = (subject, { kubernetes, pulumi, journal }, node) => {
  const { doctor } = commandsOf(subject);
  const uses = kubernetes?.value?.pods[node]?.claim;
  const pinned = pulumi.pinned.stores[node];
  const noted = journal.value?.pod === node && journal.value.initialisedAt ? journal.value.store : undefined;
  const known = pinned ?? noted;
  if (uses === undefined || known === undefined || uses.uid === known) return [];
  const who = pinned ? "Pulumi knows" : "the journal knows";
  return [
    ["claim-other", `its claim ${uses.name} is ${shortUid(uses.uid)}, ${who} ${shortUid(known)}`, doctor],
  ];
};
