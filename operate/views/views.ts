import { type ClusterNode, clusterNodes } from "../../steps/lib/cluster.ts";
import { type Kube, openKube } from "../../steps/lib/kube.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { Road } from "../../steps/lib/road.ts";
import type { Target } from "../../steps/lib/target.ts";
import { type Answer, answerMs, ask } from "./answer.ts";
import { type Journal, journalView } from "./journal-view.ts";
import { type KubernetesView, kubernetesView } from "./kubernetes-view.ts";
import { type PulumiView, pulumiView } from "./pulumi-view.ts";
import { type RaftView, raftView } from "./raft-view.ts";
import type { Subject } from "./subject.ts";
import { type VaultNode, vaultView } from "./vault-view.ts";

/** What each of the places says, all asked at the same time. What a place did not answer is in words in its stead. */
export interface Views {
  pulumi: PulumiView;
  /** The containers of the cluster, from Docker. Undefined where the nodes are no containers of ours. */
  engine: Answer<ClusterNode[]> | undefined;
  /** Undefined where the nodes are reached without Kubernetes. */
  kubernetes: Answer<KubernetesView> | undefined;
  vault: Record<string, Answer<VaultNode>>;
  raft: Answer<RaftView>;
  /** What the stack's journal says; undefined where there is none. Without any secret. */
  journal: Answer<Journal | undefined>;
}

const nothingYet = { failed: "the stack has no Vault yet" };

/** Looks at a stack from every side. Never throws: what fails is an answer, too. */
export async function gatherViews(subject: Subject, limitMs = answerMs): Promise<Views> {
  const { target, pods, clusters } = subject;
  const road = await ask<Road>(() => (target ? openRoad(target) : Promise.reject(nothingYet.failed)));
  const within = <T>(work: (signal: AbortSignal) => Promise<T>) => ask(work, limitMs);
  const vaults = pods.map(
    async (pod): Promise<[string, Answer<VaultNode>]> => [
      pod,
      road.value ? await within((signal) => vaultView(road.value, pod, signal)) : road,
    ],
  );
  const [engine, kubernetes, vault, raft, journal] = await Promise.all([
    clusters.length === 0
      ? undefined
      : within(async () => (await Promise.all(clusters.map(clusterNodes))).flat()),
    kubernetesAnswer(target, within),
    Promise.all(vaults),
    raftAnswer(subject, road, vaults, within),
    within(() => journalView(subject.stackDir)),
  ]);
  return {
    pulumi: pulumiView(subject.resources, pods),
    engine,
    kubernetes,
    vault: Object.fromEntries(vault),
    raft,
    journal,
  };
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

/** Asks the first node that says that it leads, without waiting for the others; else one that is unsealed. */
async function raftAnswer(
  subject: Subject,
  road: Answer<Road>,
  vaults: readonly Promise<[string, Answer<VaultNode>]>[],
  within: Within,
): Promise<Answer<RaftView>> {
  if (!road.value) return road;
  const keys = await within(() => subject.keys());
  const token = keys.value?.rootToken;
  if (keys.failed !== undefined) return { failed: `needs the root token: ${keys.failed}` };
  if (token === undefined) return { failed: "needs the root token, and the stack has none" };
  const named = vaults.map(async (vault) => {
    const [pod, { value }] = await vault;
    if (value?.leads !== true) throw new Error(`${pod} does not lead`);
    return pod;
  });
  const leader = await Promise.any(named).catch(() => undefined);
  const unsealed = async () =>
    (await Promise.all(vaults)).find(([, { value }]) => value?.sealed === false)?.[0];
  const node = leader ?? (await unsealed());
  if (node === undefined) return { failed: "no node is unsealed" };
  return within((signal) => raftView(road.value, node, token, signal));
}
