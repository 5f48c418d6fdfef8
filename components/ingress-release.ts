/** The ingress controller, on the control-plane, whose ports 80 and 443 are mapped to this machine. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { chartArgs } from "./chart.ts";
import type { Cluster } from "./cluster.ts";
import { ingressClass, passthroughAnnotation } from "./edge-names.ts";
import type { IngressController } from "./ingress.ts";
import type { IngressChart } from "./ingress-chart.ts";

export interface IngressReleaseArgs {
  cluster: Cluster;
  /** As `loadIngressChart` gives it. */
  chart: IngressChart;
}

/** ingress-nginx or Traefik, which serves the same class and reads the same annotations. */
export class IngressRelease extends pulumi.ComponentResource implements IngressController {
  readonly ingressClass = ingressClass;
  readonly passthrough = { [passthroughAnnotation]: "true" };
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, { cluster, chart }: IngressReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const aliases = [{ type: "vault-ha:ingress:IngressNginx" }];
    super("vault-ha:ingress:IngressRelease", name, {}, { ...opts, aliases });
    this.release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        // Whichever the controller is: Helm then puts one in the other's place, and frees the host ports for it.
        name: "ingress-nginx",
        namespace: "ingress-nginx",
        createNamespace: true,
        ...chartArgs(chart.source),
        values: chart.values,
        allowNullValues: true,
        timeout: 300,
      },
      { parent: this, provider: cluster.provider, ...cluster.end },
    );
    this.registerOutputs({ ingressClass: this.ingressClass });
  }
}
