/** A Kubernetes cluster that somebody else has made, and that outlives the stack. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import type { Cluster } from "./cluster.ts";

export interface ExistingClusterArgs {
  /** The kubeconfig's context. */
  context: string;
  /** Folder with the kubeconfig of that context alone, relative to the project: the same on every machine. */
  stackDir: string;
}

export class ExistingCluster extends pulumi.ComponentResource implements Cluster {
  readonly clusterName: pulumi.Output<string>;
  /** A path: whose login is in the file changes no input, so two people's previews show the same. */
  readonly kubeconfig: pulumi.Output<string>;
  /**
   * The same for every cluster, on purpose: a kubeconfig that points elsewhere must not replace what this stack has.
   * The step identity tells one cluster from another, and refuses.
   */
  readonly instance = pulumi.output("existing");
  readonly provider: k8s.Provider;
  readonly end = {};

  constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:cluster:ExistingCluster", name, {}, opts);
    const { context, stackDir } = args;
    const kubeconfigFile = kubeconfigPath(stackDir);
    this.clusterName = pulumi.output(context);
    this.kubeconfig = pulumi.output(kubeconfigFile);
    this.provider = new k8s.Provider(
      `${name}-provider`,
      {
        kubeconfig: kubeconfigFile,
        clusterIdentifier: "existing",
        enableServerSideApply: true,
        // As on kind: a renewed certificate is put into its Secret.
        enableSecretMutable: true,
      },
      { parent: this },
    );
    this.registerOutputs({ clusterName: this.clusterName });
  }
}
