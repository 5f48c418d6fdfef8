/**
 * ingress-nginx as kind needs it: on the control-plane, whose ports 80 and 443 are mapped to this machine.
 * The project retired in March 2026, so the interface (ingress.ts) is kept small: a successor fits behind it.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Sources } from "../sources.ts";
import { chartArgs } from "./chart.ts";
import type { IngressController } from "./ingress.ts";
import { ingressClass } from "./ingress-values.ts";
import type { KindCluster } from "./kind-cluster.ts";
import type { Values } from "./values-file.ts";

export interface IngressNginxArgs {
  cluster: KindCluster;
  source: Sources["ingressNginx"];
  /** The chart's values, as `loadIngressValues` gives them. */
  values: Values;
}

export class IngressNginx extends pulumi.ComponentResource implements IngressController {
  readonly ingressClass = ingressClass;
  readonly passthrough = { "nginx.ingress.kubernetes.io/ssl-passthrough": "true" };
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
