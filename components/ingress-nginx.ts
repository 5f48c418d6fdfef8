/**
 * ingress-nginx as kind needs it: on the control-plane, whose ports 80 and 443 are mapped to this machine.
 * The project retired in March 2026, so the interface is kept small: a successor fits behind it.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Sources } from "../sources.ts";
import { chartArgs } from "./chart.ts";
import type { KindCluster } from "./kind-cluster.ts";

export interface IngressNginxArgs {
  cluster: KindCluster;
  source: Sources["ingressNginx"];
}

export class IngressNginx extends pulumi.ComponentResource {
  /** Name of the ingress class that an Ingress of this controller names. */
  readonly ingressClass = "nginx";
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
        values: ingressValues(args.source),
        allowNullValues: true,
        timeout: 300,
      },
      { parent: this, provider: args.cluster.provider, deletedWith: args.cluster.creation },
    );
    this.registerOutputs({ ingressClass: this.ingressClass });
  }
}

/** The chart's values: what the source brings, and kind's flavour over it. */
export function ingressValues({ values }: Sources["ingressNginx"]): Record<string, unknown> {
  const controller = values.controller as Record<string, unknown> | undefined;
  return { ...values, controller: { ...controller, ...kindController } };
}

/** kind's flavour of the controller: https://kind.sigs.k8s.io/docs/user/ingress/ */
const kindController = {
  hostPort: { enabled: true },
  nodeSelector: { "ingress-ready": "true" },
  tolerations: [{ key: "node-role.kubernetes.io/control-plane", operator: "Equal", effect: "NoSchedule" }],
  // Host ports admit one pod at a time, so the old one goes first. Not kind's rolling update with one pod
  // unavailable: for Helm's wait a Deployment of one pod is then ready before it has any.
  updateStrategy: { type: "Recreate", rollingUpdate: null },
  terminationGracePeriodSeconds: 0,
  service: { type: "NodePort" },
  publishService: { enabled: false },
  watchIngressWithoutClass: true,
  // One controller on a laptop needs no gate in front of `kubectl apply`, and its two jobs cost 10 s.
  admissionWebhooks: { enabled: false },
  extraArgs: { "publish-status-address": "localhost", "enable-ssl-passthrough": "" },
};
