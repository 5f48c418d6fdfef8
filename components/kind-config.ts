/** The kind configuration that a stack's settings stand for, and its fingerprint. */
import { createHash } from "node:crypto";
import { stringify } from "yaml";
import type { Settings } from "../config.ts";

/** NodePort of Vault's UI and API service inside the cluster, as in HashiCorp's tutorials. */
export const vaultNodePort = 30000;
/** A second mapped NodePort, free for a service of the user's own. */
export const spareNodePort = 30001;

/**
 * kind's cluster configuration as YAML: one control-plane that takes the ingress and holds the mapped ports,
 * and `cluster.workers` workers. `nodeImage` undefined leaves the choice to kind.
 * Fields: https://kind.sigs.k8s.io/docs/user/configuration/
 */
export function kindConfig({ cluster }: Pick<Settings, "cluster">, nodeImage?: string): string {
  const image = nodeImage === undefined ? {} : { image: nodeImage };
  const mapping = (containerPort: number, hostPort: number) => ({
    containerPort,
    hostPort,
    listenAddress: cluster.listenAddress,
    protocol: "TCP",
  });
  return stringify({
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    networking: { apiServerAddress: "127.0.0.1" },
    nodes: [
      {
        role: "control-plane",
        ...image,
        labels: { "ingress-ready": "true" },
        extraPortMappings: [
          mapping(80, cluster.ports.http),
          mapping(443, cluster.ports.https),
          mapping(vaultNodePort, cluster.ports.vault),
          mapping(spareNodePort, cluster.ports.spare),
        ],
      },
      ...Array.from({ length: cluster.workers }, () => ({ role: "worker", ...image })),
    ],
    // From 1.35 a kubelet refuses to start on cgroup v1, which many machines still have.
    kubeadmConfigPatches: ["kind: KubeletConfiguration\nfailCgroupV1: false\n"],
  });
}

/** Stands for one kind configuration: it changes exactly when the configuration does. 16 hex digits. */
export function fingerprint(config: string): string {
  return createHash("sha256").update(config).digest("hex").slice(0, 16);
}
