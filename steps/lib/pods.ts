import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { NotYet } from "./errors.ts";
import { type Kube, KubeRefusal, openKube } from "./kube.ts";
import { Pod } from "./pod.ts";
import { storyOf } from "./pod-story.ts";
import { sealWords } from "./self-unseal.ts";

/** An object of which only the UID counts. */
const Identified = z.object({ metadata: z.object({ uid: z.string() }) });

/**
 * What names a Kubernetes cluster: the UID of its namespace kube-system, which lives as long as the cluster does.
 * undefined for a login that may not read it.
 */
export async function clusterUid(kube: Kube, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await kube.get("/api/v1/namespaces/kube-system", Identified, signal))?.metadata.uid;
  } catch (error) {
    if (error instanceof KubeRefusal && error.status === 403) return undefined;
    throw error;
  }
}

/** One pod; throws NotYet while it does not exist. */
export async function getPod(kube: Kube, namespace: string, name: string, signal: AbortSignal): Promise<Pod> {
  const pod = await kube.get(`/api/v1/namespaces/${namespace}/pods/${name}`, Pod, signal);
  if (pod === undefined) throw new NotYet(`pod ${name} does not exist in namespace ${namespace}`);
  return pod;
}

/** The UID of the claim that holds the pod's data; undefined for a pod that has none. */
export async function claimUid(
  kube: Kube,
  namespace: string,
  pod: Pod,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = claimName(pod);
  if (name === undefined) return undefined;
  const claim = await kube.get(
    `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`,
    Identified,
    signal,
  );
  if (claim === undefined) throw new NotYet(`PVC ${name} of pod ${pod.metadata.name} does not exist`);
  return claim.metadata.uid;
}

/**
 * The name of the claim (PVC) that holds the pod's data; undefined for a pod that has none. One with an audit log has
 * two, in no order that could be relied on.
 */
export function claimName(pod: Pod): string | undefined {
  const claims = (pod.spec.volumes ?? []).filter((volume) => volume.persistentVolumeClaim);
  const claim = claims.find(({ name }) => name === "data") ?? claims[0];
  return claim?.persistentVolumeClaim?.claimName;
}

const Events = z.object({
  items: z.array(
    z.object({
      involvedObject: z.object({ name: z.string() }),
      reason: z.string().optional(),
      message: z.string().optional(),
      lastTimestamp: z.string().nullish(),
      eventTime: z.string().nullish(),
    }),
  ),
});

/**
 * Why a pod does not run, undefined where it does. Where its status has no reason, the last event of the pod or of
 * its claim is told: a pod that waits for its volume has nothing in its status.
 */
export async function whyNotRunning(
  kube: Kube,
  namespace: string,
  pod: Pod,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { running, words, reasons } = storyOf(pod);
  if (running) return undefined;
  if (reasons > 0) {
    const said = await wordsOfSeal(kube, namespace, pod, signal);
    return said === undefined ? words : `${words}; its log: ${said}`;
  }
  const events = await kube
    .get(`/api/v1/namespaces/${namespace}/events`, Events, signal)
    .catch(() => undefined);
  const names = [pod.metadata.name, claimName(pod)];
  const when = ({ lastTimestamp, eventTime }: { lastTimestamp?: unknown; eventTime?: unknown }) =>
    String(lastTimestamp ?? eventTime ?? "");
  const [last] = (events?.items ?? [])
    .filter(({ involvedObject }) => names.includes(involvedObject.name))
    .sort((one, other) => when(other).localeCompare(when(one)));
  if (last === undefined) return words;
  return `${words}; last event, of ${last.involvedObject.name}: ${last.reason}: ${last.message}`;
}

/**
 * What Vault has said last of its seal, in the pod's log or, where its container has ended, in that one's; undefined
 * where it said nothing, or this login may not read logs.
 */
export async function wordsOfSeal(
  kube: Kube,
  namespace: string,
  pod: Pod,
  signal: AbortSignal,
): Promise<string | undefined> {
  const container = pod.status.containerStatuses?.find(({ name }) => name === "vault");
  const previous = container?.state?.running === undefined && (container?.restartCount ?? 0) > 0;
  const query = `container=vault&tailLines=60${previous ? "&previous=true" : ""}`;
  const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log?${query}`;
  const log = await kube.text(path, signal).catch(() => undefined);
  return log === undefined ? undefined : sealWords(log);
}

/** What stands for the identity of a container that does not run. */
export const notRunning = "not running";

/**
 * The identity of each pod's running Vault container (its containerd id), or "not running". A container that was
 * restarted has another identity: its Vault is sealed.
 *
 * @param kubeconfig path of the file, or its text
 * @param waitSeconds how long to wait for pods that do not run yet; 0 looks once
 * @param say told about every 10 s which pods do not run, and why (image cannot be pulled, unschedulable)
 * @throws Unreachable when the Kubernetes API does not answer
 */
export async function containerIdentities(
  kubeconfig: string,
  namespace: string,
  pods: readonly string[],
  { waitSeconds, say = () => {}, signal = new AbortController().signal }: WaitForPods,
): Promise<Record<string, string>> {
  const kube = await openKube(kubeconfig);
  const began = Date.now();
  let told = began;
  for (;;) {
    const seen = await Promise.all(pods.map((pod) => look(kube, namespace, pod, signal)));
    const missing = seen.filter(({ container }) => container === notRunning);
    const now = Date.now();
    if (missing.length === 0 || now - began >= waitSeconds * 1000) {
      for (const { words } of missing) say(words);
      return Object.fromEntries(seen.map(({ pod, container }) => [pod, container]));
    }
    if (now - told >= 10_000) {
      told = now;
      const soFar = `${Math.round((now - began) / 1000)} s so far of ${waitSeconds} s`;
      say(`waiting for pods to run: ${soFar}; ${missing.map(({ words }) => words).join("; ")}`);
    }
    await sleep(500, undefined, { signal });
  }
}

export interface WaitForPods {
  waitSeconds: number;
  say?: (line: string) => void;
  signal?: AbortSignal;
}

async function look(kube: Kube, namespace: string, name: string, signal: AbortSignal) {
  try {
    const pod = await getPod(kube, namespace, name, signal);
    const why = await whyNotRunning(kube, namespace, pod, signal);
    return { pod: name, container: storyOf(pod).container ?? notRunning, words: why ?? "" };
  } catch (error) {
    // The pod may not be made yet; an API that does not answer is the caller's to judge.
    if (error instanceof NotYet && error.constructor === NotYet)
      return { pod: name, container: notRunning, words: error.message };
    throw error;
  }
}

const Claims = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string() }),
      spec: z.object({ storageClassName: z.string().optional() }),
      status: z.object({ capacity: z.object({ storage: z.string() }).optional() }).optional(),
    }),
  ),
});

/** A volume of Vault's: its claim (PVC). */
export interface VaultClaim {
  name: string;
  uid: string;
  /** Such as 10Gi; undefined while it is not bound. */
  size: string | undefined;
  storageClass: string | undefined;
}

/** The claims of Vault's StatefulSet, by their names, also after the StatefulSet itself is gone. */
export async function vaultClaims(kube: Kube, namespace: string, signal: AbortSignal): Promise<VaultClaim[]> {
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  const claims = await kube.get(path, Claims, signal);
  return (claims?.items ?? [])
    .filter(({ metadata }) => /^(data|audit)-vault-\d+$/.test(metadata.name))
    .map(({ metadata: { name, uid }, spec, status }) => ({
      name,
      uid,
      size: status?.capacity?.storage,
      storageClass: spec.storageClassName,
    }));
}
