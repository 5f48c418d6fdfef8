import { isDeepStrictEqual } from "node:util";
import { type ClusterNode, clusterNodes } from "../../steps/lib/cluster.ts";
import { type Kube, openKube } from "../../steps/lib/kube.ts";
import { wayTo } from "../../steps/lib/pod.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { Road } from "../../steps/lib/road.ts";
import type { Target, Way } from "../../steps/lib/target.ts";
import { type BackupView, backupView } from "../backup/view.ts";
import { type Listed, listSnapshots } from "../snapshot/list.ts";
import { type Answer, answerMs, ask } from "./answer.ts";
import { type AuditView, auditView } from "./audit-view.ts";
import { type Journal, journalView } from "./journal-view.ts";
import { type KubernetesView, kubernetesView } from "./kubernetes-view.ts";
import { type PulumiView, pulumiView } from "./pulumi-view.ts";
import { type RaftView, raftView } from "./raft-view.ts";
import type { Subject } from "./subject.ts";
import { type NodeTls, notingRoad, type TlsView, tlsView } from "./tls-view.ts";
import { type VaultNode, vaultView } from "./vault-view.ts";

/** What each of the places says, all asked at the same time. What a place did not answer is in words in its stead. */
export interface Views {
  pulumi: PulumiView;
  /** The containers of the cluster, from Docker. Undefined where the nodes are no containers of ours. */
  engine: Answer<ClusterNode[]> | undefined;
  /** Undefined where the nodes are reached without Kubernetes. */
  kubernetes: Answer<KubernetesView> | undefined;
  vault: Record<string, Answer<VaultNode>>;
  /** How each node speaks, from the same connection. */
  nodeTls: Record<string, NodeTls>;
  /** The Secret of Vault's certificate. Undefined where Vault is to speak HTTP, or the nodes are reached without Kubernetes. */
  tls: TlsView | undefined;
  raft: Answer<RaftView>;
  /** Undefined where the stack has no audit device. */
  audit: Answer<AuditView> | undefined;
  /** What the stack's journal says; undefined where there is none. Without any secret. */
  journal: Answer<Journal | undefined>;
  /** The stack's snapshots on this machine, the newest first. */
  snapshots: Answer<Listed[]>;
  /** Its scheduled ones in the cluster. Undefined where Pulumi knows no schedule; null where it does, and the cluster does not. */
  backup: Answer<BackupView | null> | undefined;
}

const nothingYet = { failed: "the stack has no Vault yet" };

/** Looks at a stack from every side. Never throws: what fails is an answer, too. */
export async function gatherViews(subject: Subject, limitMs = answerMs): Promise<Views> {
  const { target, pods, clusters } = subject;
  const within = <T>(work: (signal: AbortSignal) => Promise<T>) => ask(work, limitMs);
  const pulumi = pulumiView(subject.resources, pods);
  const asksKubernetes = kubernetesAnswer(target, within);
  const road = await ask<Road>(() => (target ? openRoad(target) : Promise.reject(nothingYet.failed)));
  const asksNodes = pods.map((pod) => nodeAnswer(subject, pod, road, asksKubernetes, within));
  const askable = askableNode(subject, asksNodes, within);
  const [engine, kubernetes, nodes, raft, audit, journal, tls, snapshots, backup] = await Promise.all([
    clusters.length === 0
      ? undefined
      : within(async () => (await Promise.all(clusters.map(clusterNodes))).flat()),
    asksKubernetes,
    Promise.all(asksNodes),
    askNode(askable, within, raftView),
    pulumi.audits ? askNode(askable, within, auditView) : undefined,
    within(() => journalView(subject.stackDir)),
    tlsView(subject, within),
    within(() => listSnapshots(subject.stackDir)),
    backupAnswer(subject, within),
  ]);
  return {
    pulumi,
    engine,
    kubernetes,
    vault: Object.fromEntries(nodes.map(({ pod, vault }) => [pod, vault])),
    nodeTls: Object.fromEntries(nodes.map(({ pod, tls }) => [pod, tls])),
    tls,
    raft,
    audit,
    journal,
    snapshots,
    backup,
  };
}

/** The way to a node: that of its pod, where Kubernetes has one, since it may be older than what the stack says. */
export function wayToNode<W extends Way>(
  target: W,
  { kubernetes }: Pick<Views, "kubernetes">,
  pod: string,
): W {
  const object = kubernetes?.value?.pods[pod]?.object;
  return object ? wayTo(target, object) : target;
}

type Within = <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<Answer<T>>;

async function kubernetesAnswer(target: Target | undefined, within: Within) {
  if (target === undefined) return nothingYet;
  const { reach } = target;
  if (reach.kind === "direct") return undefined;
  return within(async (signal) => {
    const kube: Kube = await openKube(reach.kubeconfig);
    return kubernetesView(kube, reach.namespace, signal);
  });
}

async function backupAnswer({ resources, target }: Subject, within: Within): Promise<Views["backup"]> {
  const reach = target?.reach;
  const declared = resources.some(({ urn }) => urn.endsWith("::vault-backup-cronjob"));
  if (!declared || reach?.kind !== "kubernetes") return undefined;
  return within(
    async (signal) => (await backupView(await openKube(reach.kubeconfig), reach.namespace, signal)) ?? null,
  );
}

interface NodeAnswer {
  pod: string;
  vault: Answer<VaultNode>;
  tls: NodeTls;
  /** The road on which it was asked last. */
  road: Answer<Road>;
}

/** Asks a node as the stack says that it speaks; where that fails and its pod says otherwise, as that says. */
async function nodeAnswer(
  { target }: Subject,
  pod: string,
  usual: Answer<Road>,
  asksKubernetes: Promise<Views["kubernetes"]>,
  within: Within,
): Promise<NodeAnswer> {
  const askOn = async (road: Answer<Road>, { scheme }: Pick<Way, "scheme">): Promise<NodeAnswer> => {
    const tls: NodeTls = {};
    const vault = road.value
      ? await within((signal) => vaultView(notingRoad(road.value, tls), pod, signal))
      : road;
    if (vault.value) tls.speaks = scheme;
    return { pod, vault, tls, road };
  };
  if (target === undefined) return { pod, vault: nothingYet, tls: {}, road: nothingYet };
  const first = await askOn(usual, target);
  if (first.vault.value) return first;
  const way = wayToNode(target, { kubernetes: await asksKubernetes }, pod);
  return isDeepStrictEqual(way, target) ? first : askOn(await ask(() => openRoad(way)), way);
}

/** A node that answers questions about the whole, and the token that these want. */
interface Askable {
  pod: string;
  road: Road;
  token: string;
}

/** The first node that says that it leads, without waiting for the others; else one that is unsealed. */
async function askableNode(
  subject: Subject,
  nodes: readonly Promise<NodeAnswer>[],
  within: Within,
): Promise<Answer<Askable>> {
  if (subject.target === undefined) return nothingYet;
  const keys = await within(() => subject.keys());
  const token = keys.value?.rootToken;
  if (keys.failed !== undefined) return { failed: `needs the stack's token: ${keys.failed}` };
  if (token === undefined) return { failed: "needs a token, and the stack has none" };
  const leads = nodes.map(async (node) => {
    const answer = await node;
    if (answer.vault.value?.leads !== true) throw new Error(`${answer.pod} does not lead`);
    return answer;
  });
  const leader = await Promise.any(leads).catch(() => undefined);
  const { pod, road } =
    leader ?? (await Promise.all(nodes)).find(({ vault }) => vault.value?.sealed === false) ?? {};
  if (pod === undefined || !road?.value) return { failed: "no node is unsealed" };
  return { value: { pod, road: road.value, token } };
}

async function askNode<T>(
  askable: Promise<Answer<Askable>>,
  within: Within,
  view: (road: Road, node: string, token: string, signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const { value, failed } = await askable;
  if (value === undefined) return { failed };
  return within((signal) => view(value.road, value.pod, value.token, signal));
}
