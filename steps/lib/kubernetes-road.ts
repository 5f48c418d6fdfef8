import { NotYet } from "./errors.ts";
import { openKube } from "./kube.ts";
import { storyOf } from "./pod-story.ts";
import { claimUid, clusterUid, getPod, whyNotRunning, wordsOfSeal } from "./pods.ts";
import { apiPort, peerName, type Road, secured } from "./road.ts";
import type { Reach, Way } from "./target.ts";
import { tlsSecretOf } from "./tls-secret.ts";
import { openTunnel } from "./tunnel.ts";

/** Reaches Vault's pods by port-forward through the Kubernetes API, as `kubectl port-forward` does. */
export async function kubernetesRoad(
  target: Way,
  { kubeconfig, namespace, tlsSecret }: Extract<Reach, { kind: "kubernetes" }>,
): Promise<Road> {
  const kube = await openKube(kubeconfig);
  const trusted = async (signal: AbortSignal) => {
    if (target.scheme === "http" || target.caCert !== undefined || tlsSecret === undefined)
      return target.caCert;
    // Asked once for each connection, of which a step keeps one for each node: the authority may be renewed meanwhile.
    return (await tlsSecretOf(kube, namespace, tlsSecret, signal)).caCert;
  };
  return {
    authority: trusted,
    host: (node) => `${peerName(node)}:${apiPort}`,
    peerAddress: (node) => `${target.scheme}://${peerName(node)}:${apiPort}`,
    storeOf: async (node, signal) =>
      claimUid(kube, namespace, await getPod(kube, namespace, node, signal), signal),
    processOf: async (node, signal) => storyOf(await getPod(kube, namespace, node, signal)).container,
    emptyStore: async (node, signal) => {
      // Hardly ever wanted, and it loads a library.
      const { execInPod } = await import("./exec.ts");
      await execInPod(kube, namespace, node, ["rm", "-rf", "/vault/data/raft", "/vault/data/vault.db"]);
      await kube.delete(`/api/v1/namespaces/${namespace}/pods/${node}?gracePeriodSeconds=1`, signal);
    },
    clusterOf: (signal) => clusterUid(kube, signal),
    connect: async (node, signal) => {
      const caCert = await trusted(signal);
      return secured(await openTunnel(kube, namespace, node, apiPort), peerName(node), { ...target, caCert });
    },
    lastWords: async (node, signal) =>
      wordsOfSeal(kube, namespace, await getPod(kube, namespace, node, signal), signal),
    whyNot: async (node, signal) => {
      const pod = await getPod(kube, namespace, node, signal).catch((error) => {
        if (error instanceof NotYet) return error.message;
        throw error;
      });
      return typeof pod === "string" ? pod : whyNotRunning(kube, namespace, pod, signal);
    },
  };
}
