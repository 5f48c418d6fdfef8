/** What stands between Vault and the Kubernetes cluster that it runs on. */
import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** A Kubernetes cluster, made by this program or by somebody else. */
export interface Cluster {
  /** As people name it: kind's name, or the kubeconfig's context. */
  clusterName: pulumi.Output<string>;
  /** The kubeconfig: its text, or the path of its file. */
  kubeconfig: pulumi.Output<string>;
  /** Stands for this very cluster: another one of the same name has another instance. */
  instance: pulumi.Output<string>;
  provider: k8s.Provider;
  /** For the options of everything inside: what it is deleted with. Nothing where the cluster is somebody else's. */
  end: Pick<pulumi.CustomResourceOptions, "deletedWith">;
}

/** Label of a namespace on a cluster that somebody else has made: which stack it belongs to. */
export const stackLabel = "vault-ha/stack";
