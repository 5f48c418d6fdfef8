/** Kubernetes' version, of the node image and all its components. */
export const kubernetesVersion = "v1.36.3";

/** What kubeadm of that version asks for (`kubeadm config images list`), and kind's containerd for a sandbox. */
export const kubernetesImages = {
  kube: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"].map(
    (name) => `registry.k8s.io/${name}:${kubernetesVersion}`,
  ),
  etcd: ["registry.k8s.io/etcd:3.6.8-0"],
  coredns: ["registry.k8s.io/coredns/coredns:v1.14.2"],
  // 3.10 is in containerd's configuration of kind, the other is kubeadm's.
  pause: ["registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10.2"],
};

/** Names of the images that manifests and charts use. In full, as containerd stores them. */
export const names = {
  base: "docker.io/vault-ha/base:1",
  routes: "docker.io/vault-ha/routes:1",
  localPathProvisioner: "docker.io/vault-ha/local-path-provisioner:1",
  vault: "docker.io/hashicorp/vault:1.21.1",
  ingressController: "docker.io/vault-ha/ingress-nginx-controller:v1.11.0",
  traefik: "docker.io/vault-ha/traefik:v3.6.12",
  rclone: "docker.io/vault-ha/rclone:v1.75.1",
  whoami: "docker.io/vault-ha/whoami:1",
};
