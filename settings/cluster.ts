/** Settings of the cluster that Vault goes to. */
import { isIP } from "node:net";
import { z } from "zod";
import { path, port, setting, whole } from "./rule.ts";

export const clusterSettings = {
  "cluster.driver": setting(
    z.enum(["kind", "existing"], "takes kind or existing"),
    "kind",
    "driver",
    "Which Kubernetes cluster Vault goes to: one that kind makes on this machine, or one that exists.",
  ),
  "cluster.context": setting(
    z.string().min(1, "takes the name of a context"),
    undefined,
    "name",
    "For the driver existing: the kubeconfig's context, named so that no other cluster is taken by accident.",
  ),
  "cluster.kubeconfig": setting(
    path("a kubeconfig"),
    undefined,
    "path",
    "For the driver existing: the kubeconfig. Unless set, $KUBECONFIG, then ~/.kube/config.",
  ),
  "cluster.workers": setting(
    whole(1, 20),
    undefined,
    "nodes",
    "Worker nodes of the kind cluster. Follows vault.replicas unless set.",
  ),
  "cluster.listenAddress": setting(
    z.string().refine((text) => isIP(text) !== 0, "takes an IP address"),
    "127.0.0.1",
    "IP address",
    "Address of this machine on which the cluster's ports listen.",
  ),
  "cluster.ports.http": setting(
    port,
    "8080",
    "port",
    "Port of this machine for the ingress over HTTP (80 in the cluster).",
  ),
  "cluster.ports.https": setting(
    port,
    "8443",
    "port",
    "Port of this machine for the ingress over HTTPS (443 in the cluster).",
  ),
  "cluster.ports.vault": setting(
    port,
    "30000",
    "port",
    "Port of this machine for Vault's API and UI (NodePort 30000 in the cluster).",
  ),
  "cluster.ports.spare": setting(
    port,
    "30001",
    "port",
    "Port of this machine for NodePort 30001, free for a service of your own.",
  ),
};
