/** The Vault Helm release: highly available, on Raft Integrated Storage, not yet initialised. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import type { Sources } from "../sources.ts";
import { chartArgs } from "./chart.ts";
import type { KindCluster } from "./kind-cluster.ts";
import type { Values } from "./values-file.ts";

export interface VaultReleaseArgs {
  cluster: KindCluster;
  settings: Settings["vault"];
  source: Sources["vault"];
  /** The chart's values, as `loadVaultValues` gives them. */
  values: Values;
}

export class VaultRelease extends pulumi.ComponentResource {
  readonly namespace: string;
  /** The pods, in the order in which they become voters. The chart names them after the release. */
  readonly pods: string[];
  readonly scheme = "http";
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, args: VaultReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:vault:VaultRelease", name, {}, opts);
    const { cluster, settings, source } = args;
    const inCluster = { parent: this, provider: cluster.provider, deletedWith: cluster.creation };
    this.namespace = settings.namespace;
    this.pods = Array.from({ length: settings.replicas }, (_, n) => `vault-${n}`);

    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: settings.namespace } },
      inCluster,
    );
    this.release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: "vault",
        namespace: namespace.metadata.name,
        ...chartArgs(source),
        values: args.values,
        // Pods are not ready before they are unsealed, so there is nothing here to wait for:
        // the lifecycle's verify step is the gate.
        skipAwait: true,
        // A null in a stack's own values takes away a default of the chart, as with Helm.
        allowNullValues: true,
      },
      inCluster,
    );
    this.registerOutputs({ namespace: this.namespace, pods: this.pods });
  }
}
