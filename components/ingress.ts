/** What stands between an ingress controller and those whom it serves. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

/** All that an Ingress needs of the controller that serves it. Whatever follows has these three. */
export interface IngressController {
  /** Name of the ingress class that an Ingress of this controller names. */
  ingressClass: string;
  /** Annotations by which TLS ends at the service behind an Ingress, not at the controller. */
  passthrough: Record<string, string>;
  /** What has to stand before an Ingress is of use. */
  release: pulumi.Resource;
}

export interface IngressArgs {
  ingress: IngressController;
  /** Host name that the controller answers for, on every path. */
  host: string;
  service: pulumi.Input<string>;
  port: number;
  metadata: { name: string; namespace: string; labels?: Record<string, string> };
  /** TLS ends at the service. */
  passthrough?: boolean;
}

/** Declares an Ingress of one host in front of one service. */
export function declareIngress(
  name: string,
  { ingress, host, service, port, metadata, passthrough = false }: IngressArgs,
  opts: pulumi.CustomResourceOptions & { dependsOn?: pulumi.Resource[] },
): k8s.networking.v1.Ingress {
  const { ingressClass, release } = ingress;
  // ingress-nginx serves an Ingress within a second and writes its status once a minute: nothing to wait for.
  const annotations = { "pulumi.com/skipAwait": "true", ...(passthrough && ingress.passthrough) };
  const backend = { service: { name: service, port: { number: port } } };
  return new k8s.networking.v1.Ingress(
    name,
    {
      metadata: { ...metadata, annotations },
      spec: {
        ingressClassName: ingressClass,
        rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    },
    { ...opts, dependsOn: [release, ...(opts.dependsOn ?? [])] },
  );
}
