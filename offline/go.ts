import type { Part } from "./lib/part.ts";
import { ingressNginx } from "./programs/ingress-nginx.ts";
import { containerd, coredns, etcd, kind, kubernetes, localPathProvisioner } from "./programs/kubernetes.ts";
import { pulumiCli, pulumiLanguageNodejs, pulumiResourceKubernetes } from "./programs/pulumi.ts";
import { rclone } from "./programs/rclone.ts";
import { traefik } from "./programs/traefik.ts";
import { vault } from "./programs/vault.ts";
import { whoami } from "./programs/whoami.ts";

export { moduleDir } from "./lib/go-part.ts";
/*
 * Every program that the closed network needs, built from its Go modules. The comment of each part says what
 * lies in its folder. Versions stand in go/<folder>/go.mod; those in programs/ are what the programs say of
 * themselves, and what `says` shows. Sources: go/README.md.
 */
export { goEnvironment } from "./lib/go-toolchain.ts";
export {
  containerd,
  coredns,
  etcd,
  ingressNginx,
  kind,
  kubernetes,
  localPathProvisioner,
  pulumiCli,
  pulumiLanguageNodejs,
  pulumiResourceKubernetes,
  rclone,
  traefik,
  vault,
  whoami,
};

/** All of them. Those that share packages stand together, the largest first. */
export const goParts: readonly Part[] = [
  whoami,
  kind,
  pulumiLanguageNodejs,
  kubernetes,
  etcd,
  coredns,
  localPathProvisioner,
  ingressNginx,
  traefik,
  rclone,
  containerd,
  vault,
  pulumiCli,
  pulumiResourceKubernetes,
];
