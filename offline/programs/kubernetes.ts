import { goPart } from "../lib/go-part.ts";

/** `kind`, and `base-files/`: what kind's own node image has over its Debian (etc/, kind/, usr/). */
export const kind = goPart({
  name: "kind",
  says: "kind 0.33.0",
  folder: "kind",
  programs: [{ name: "kind", package: "sigs.k8s.io/kind" }],
  files: [{ module: "sigs.k8s.io/kind", from: "images/base/files", to: "base-files" }],
  light: true,
});

/**
 * `kube`: every component of Kubernetes in one program, which is the one it is called as: kube-apiserver,
 * kube-controller-manager, kube-scheduler, kube-proxy, kubelet, kubeadm, kubectl. Make links of these names
 * to it, or call `kube <name>`.
 */
export const kubernetes = goPart({
  name: "kubernetes",
  says: "Kubernetes 1.36.3, all components in one program",
  folder: "kubernetes",
  programs: [
    {
      name: "kube",
      package: "./kube",
      variables: Object.fromEntries(
        ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((version) => [
          [`${version}.gitVersion`, "v1.36.3"],
          [`${version}.gitMajor`, "1"],
          [`${version}.gitMinor`, "36"],
          [`${version}.gitTreeState`, "clean"],
        ]),
      ),
    },
  ],
});

/** `etcd`, without etcdctl and etcdutl. */
export const etcd = goPart({
  name: "etcd",
  says: "etcd 3.6.8",
  folder: "kubernetes",
  programs: [{ name: "etcd", package: "go.etcd.io/etcd/server/v3" }],
});

/** `coredns`, with the plug-ins of a cluster's own Corefile only: see go/kubernetes/coredns/main.go. */
export const coredns = goPart({
  name: "coredns",
  says: "CoreDNS 1.14.3",
  folder: "kubernetes",
  programs: [{ name: "coredns", package: "./coredns" }],
});

/** `local-path-provisioner`: makes the volumes that Vault's pods claim. */
export const localPathProvisioner = goPart({
  name: "local-path-provisioner",
  says: "local-path-provisioner 0.0.30",
  folder: "kubernetes",
  programs: [
    {
      name: "local-path-provisioner",
      package: "github.com/rancher/local-path-provisioner",
      variables: { "main.VERSION": "v0.0.30" },
    },
  ],
});

const containerdModule = "github.com/containerd/containerd/v2";

/**
 * `containerd`, `ctr`, `containerd-shim-runc-v2`. Without the snapshotters for btrfs, devicemapper and ZFS
 * (a kind node uses overlayfs), Intel RDT and the export of traces.
 */
export const containerd = goPart({
  name: "containerd",
  says: "containerd 2.2.1",
  folder: "containerd",
  programs: ["containerd", "ctr", "containerd-shim-runc-v2"].map((name) => ({
    name,
    package: `${containerdModule}/cmd/${name}`,
    tags: ["no_btrfs", "no_devmapper", "no_zfs", "no_rdt", "no_tracing"],
    variables: { [`${containerdModule}/version.Version`]: "v2.2.1" },
  })),
});
