import { z } from "zod";
import type { Kube } from "../../steps/lib/kube.ts";
import { Pod } from "../../steps/lib/pod.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { claimName, clusterUid } from "../../steps/lib/pods.ts";

const Claim = z.object({
  metadata: z.object({ name: z.string(), uid: z.string(), creationTimestamp: z.string().nullish() }),
  status: z.object({ phase: z.string().optional() }).optional(),
});

/** A claim (PVC) of the namespace. */
export interface ClaimSeen {
  name: string;
  uid: string;
  /** Bound, Pending or Lost. */
  phase: string;
  createdAt?: string;
}

/** What Kubernetes says of one pod. */
export interface PodSeen {
  name: string;
  phase: string;
  ready: boolean;
  /** Why it does not run or is not ready, in Kubernetes' own words. */
  why?: string;
  restarts: number;
  /** The running Vault container's identity ("containerd://77c1..."). */
  container?: string;
  /** When that container was started. */
  startedAt?: string;
  /** The Kubernetes node it is on. */
  node?: string;
  claim?: ClaimSeen;
  /** What Vault itself writes on its pod: vault-active, vault-sealed, vault-initialized, vault-version. */
  labels: Record<string, string>;
  /** The object as it came, for closer looks. */
  object: Pod;
}

/** What Kubernetes says of Vault's namespace. */
export interface KubernetesView {
  /** What names the cluster: the UID of its namespace kube-system. Absent for a login that may not read it. */
  uid?: string;
  /** Vault's pods, by name; one that does not exist is not in it. */
  pods: Record<string, PodSeen>;
  /** Every claim of the namespace. */
  claims: ClaimSeen[];
}

/** The phase of a pod that is being deleted; Kubernetes itself names the one from before. */
export const ending = "being deleted";

/** The label that the chart gives to Vault's server pods, and to no other. */
const serverPods = "labelSelector=component%3Dserver";

/** Asks for Vault's pods and all claims of the namespace. */
export async function kubernetesView(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<KubernetesView> {
  const list = async <S extends z.ZodType>(path: string, item: S) =>
    (await kube.get(
      `/api/v1/namespaces/${namespace}/${path}`,
      z.object({ items: z.array(item) }),
      signal,
    )) ?? {
      items: [],
    };
  const [uid, pods, claimList] = await Promise.all([
    clusterUid(kube, signal),
    list(`pods?${serverPods}`, Pod),
    list("persistentvolumeclaims", Claim),
  ]);
  const claims = claimList.items.map(
    ({ metadata, status }): ClaimSeen => ({
      name: metadata.name,
      uid: metadata.uid,
      phase: status?.phase ?? "Unknown",
      ...(metadata.creationTimestamp && { createdAt: metadata.creationTimestamp }),
    }),
  );
  return {
    ...(uid !== undefined && { uid }),
    pods: Object.fromEntries(pods.items.map((pod) => [pod.metadata.name, seen(pod, claims)])),
    claims,
  };
}

function seen(pod: Pod, claims: readonly ClaimSeen[]): PodSeen {
  const { name, labels = {} } = pod.metadata;
  const story = storyOf(pod);
  const status = pod.status.containerStatuses?.find(({ name }) => name === "vault");
  const unready = pod.status.conditions?.find(({ type }) => type === "Ready");
  const ready = unready?.status === "True";
  const dataClaim = claimName(pod);
  const claim = claims.find(({ name }) => name === dataClaim);
  const startedAt = status?.state?.running?.startedAt;
  const why = story.running ? unready?.message : story.words.replace(/^pod \S+ /, "");
  return {
    name,
    phase: pod.metadata.deletionTimestamp ? ending : (pod.status.phase ?? "Unknown"),
    ready,
    ...(!ready && why && { why }),
    restarts: status?.restartCount ?? 0,
    ...(story.running && { container: story.container }),
    ...(startedAt && { startedAt }),
    ...(pod.spec.nodeName && { node: pod.spec.nodeName }),
    ...(claim && { claim }),
    labels: Object.fromEntries(Object.entries(labels).filter(([key]) => key.startsWith("vault-"))),
    object: pod,
  };
}
