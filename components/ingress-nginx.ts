/**
 * ingress-nginx as kind needs it: on the control-plane, whose ports 80 and 443 are mapped to this machine.
 * The project retired in March 2026, so the interface is kept small: a successor fits behind it.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Sources } from "../sources.ts";
import { chartArgs } from "./chart.ts";
import { ingressClass } from "./ingress-values.ts";
import type { KindCluster } from "./kind-cluster.ts";
import type { Values } from "./values-file.ts";

export interface IngressNginxArgs {
  cluster: KindCluster;
  source: Sources["ingressNginx"];
  /** The chart's values, as `loadIngressValues` gives them. */
  values: Values;
}

export class IngressNginx extends pulumi.ComponentResource {
  /** Name of the ingress class that an Ingress of this controller names. */
  readonly ingressClass = ingressClass;
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, args: IngressNginxArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:ingress:IngressNginx", name, {}, opts);
    this.release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: "ingress-nginx",
        namespace: "ingress-nginx",
        createNamespace: true,
        ...chartArgs(args.source),
        values: args.values,
        allowNullValues: true,
        timeout: 300,
      },
      { parent: this, provider: args.cluster.provider, deletedWith: args.cluster.creation },
    );
    this.registerOutputs({ ingressClass: this.ingressClass });
  }
}
