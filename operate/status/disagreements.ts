import { auditFolder } from "../../components/vault-rules.ts";
import { commandsOf, type Named } from "../views/commands.ts";
import type { Views } from "../views/views.ts";
import { backupDisagreements } from "./backup-disagreements.ts";
import type { Disagreement } from "./disagreement.ts";
import { listed } from "./names.ts";
import { nodeDisagreements } from "./node-disagreements.ts";
import { secretDisagreements } from "./tls-disagreements.ts";

/** Everything in which the views do not agree: the whole first, then node by node. */
export function disagreements(subject: Named, views: Views): Disagreement[] {
  return [
    ...unanswered(subject, views),
    ...otherCluster(subject, views),
    ...aboutLeader(subject, views),
    ...strangers(subject, views),
    ...secretDisagreements(subject, views),
    ...auditOff(subject, views),
    ...backupDisagreements(subject, views, new Date()),
    ...subject.pods.flatMap((pod) => nodeDisagreements(subject, views, pod)),
    ...cutOff(subject, views),
  ];
}

function unanswered(subject: Named, { engine, kubernetes, raft, journal, vault }: Views): Disagreement[] {
  const { up, doctor } = commandsOf(subject);
  const found: Disagreement[] = [];
  const stopped = engine?.value?.filter(({ running }) => !running).map(({ name }) => name) ?? [];
  if (stopped.length > 0)
    found.push({ id: "nodes-stopped", says: `Docker has stopped nodes: ${listed(stopped)}`, next: up });
  if (engine?.value?.length === 0)
    found.push({
      id: "cluster-gone",
      says: "Pulumi knows a cluster, and Docker has none of its nodes",
      next: doctor,
    });
  if (engine?.failed !== undefined)
    found.push({
      id: "engine-unanswered",
      says: `Docker was not asked with success: ${engine.failed}`,
      next: doctor,
    });
  if (subject.target === undefined) {
    found.push({ id: "no-vault", says: "the stack has no Vault yet", next: up });
    return found;
  }
  if (kubernetes?.failed !== undefined)
    found.push({
      id: "kubernetes-unanswered",
      says: `Kubernetes did not answer: ${kubernetes.failed}`,
      next: doctor,
    });
  // Where no node leads, that is said instead.
  const serves = Object.values(vault).some(({ value }) => value?.leads);
  if (serves && raft.failed !== undefined)
    found.push({ id: "raft-unanswered", says: `Raft did not answer: ${raft.failed}`, next: doctor });
  if (journal.failed !== undefined)
    found.push({ id: "journal-unread", says: `the journal was not read: ${journal.failed}`, next: doctor });
  return found;
}

function otherCluster(subject: Named, { pulumi, kubernetes }: Views): Disagreement[] {
  const known = pulumi.pinned.kubernetes;
  const found = kubernetes?.value?.uid;
  if (known === undefined || found === undefined || known === found) return [];
  const says = `Pulumi knows the Kubernetes cluster ${known}, and the kubeconfig leads to ${found}`;
  return [{ id: "other-cluster", says, next: commandsOf(subject).kubectl("cluster-info") }];
}

function aboutLeader(subject: Named, { vault, pulumi }: Views): Disagreement[] {
  const { doctor } = commandsOf(subject);
  const answered = Object.entries(vault).flatMap(([pod, { value }]) => (value ? [{ pod, ...value }] : []));
  const leaders = answered.filter(({ leads }) => leads).map(({ pod }) => pod);
  const unsealed = answered.filter(({ sealed, initialised }) => initialised && !sealed).map(({ pod }) => pod);
  const found: Disagreement[] = [];
  if (leaders.length > 1)
    found.push({ id: "two-leaders", says: `${listed(leaders)} each say that they lead`, next: doctor });
  if (leaders.length === 0 && unsealed.length > 0)
    found.push({
      id: "no-leader",
      says: `${listed(unsealed)}: unsealed, but nobody leads`,
      next: doctor,
    });
  const ids = new Map(answered.flatMap(({ pod, clusterId }) => (clusterId ? [[clusterId, pod]] : [])));
  if (ids.size > 1) {
    const each = [...ids].map(([id, pod]) => `${pod} is of cluster ${id}`);
    found.push({ id: "two-clusters", says: `the nodes are not one Vault: ${each.join("; ")}`, next: doctor });
  }
  const [only] = ids.keys();
  const { clusterId } = pulumi.pinned;
  if (ids.size === 1 && clusterId !== undefined && only !== clusterId)
    found.push({
      id: "other-vault",
      says: `Pulumi knows the Vault ${clusterId}, and ${only} answers`,
      next: doctor,
    });
  return found;
}

function strangers(subject: Named, { raft }: Views): Disagreement[] {
  const { vault } = commandsOf(subject);
  return (raft.value?.servers ?? [])
    .filter(({ node }) => !subject.pods.includes(node))
    .map(({ node, address, voter }) => ({
      id: "stranger",
      says: `Raft has ${node} (${address}), ${voter ? "a voter" : "a non-voter"} that this stack does not run`,
      next: vault(raft.value?.asked ?? "vault-0", `operator raft remove-peer ${node}`),
    }));
}

function auditOff(subject: Named, { audit }: Views): Disagreement[] {
  if (!audit?.value) return [];
  const { asked, devices } = audit.value;
  const file = `${auditFolder}/audit.log`;
  if (Object.values(devices).includes(file)) return [];
  const next = commandsOf(subject).vault(asked, `audit enable file file_path=${file}`);
  return [
    { id: "audit-off", says: `Pulumi enabled an audit log, Vault has no device that writes ${file}`, next },
  ];
}

function cutOff(subject: Named, { pulumi }: Views): Disagreement[] {
  const { up } = commandsOf(subject);
  const missing = subject.pods.flatMap((pod) => {
    const steps = pulumi.nodes[pod]?.missing ?? [];
    return steps.length > 0 ? [`${pod}: ${steps.join(", ")}`] : [];
  });
  if (!pulumi.verified) missing.push("verify");
  if (missing.length === 0) return [];
  const says = `npm run up did not run to its end: Pulumi's state lacks ${missing.join("; ")}`;
  return [{ id: "unfinished", says, next: up }];
}
