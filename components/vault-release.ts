/** The Vault Helm release: highly available, on Raft Integrated Storage, not yet initialised. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import type { Sources } from "../sources.ts";
import { chartArgs } from "./chart.ts";
import type { KindCluster } from "./kind-cluster.ts";
import { vaultValues } from "./vault-values.ts";

export interface VaultReleaseArgs {
  cluster: KindCluster;
  settings: Settings["vault"];
  source: Sources["vault"];
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

    const { values, problems } = vaultValues({
      replicas: settings.replicas,
      storageSize: settings.storageSize,
      image: source.image,
      ...(settings.valuesFile !== undefined && { ownFile: settings.valuesFile }),
    });
    if (problems.length > 0)
      throw new pulumi.RunError(
        `Vault's Helm values cannot be used; nothing was changed.\n  ${problems.join("\n  ")}`,
      );

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
        values,
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
