/** A small application that answers with the request it got: shows that the ingress works. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { IngressNginx } from "./ingress-nginx.ts";
import type { KindCluster } from "./kind-cluster.ts";

export interface WhoamiArgs {
  cluster: KindCluster;
  ingress: IngressNginx;
  /** Host name that the ingress answers for. */
  host: string;
  image: string;
}

export class Whoami extends pulumi.ComponentResource {
  constructor(name: string, args: WhoamiArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a component waits for the resources in them, and only the Ingress has to wait for the controller.
    super("vault-ha:ingress:Whoami", name, {}, opts);
    const child = { parent: this, provider: args.cluster.provider, deletedWith: args.cluster.creation };
    const labels = { app: "whoami" };
    const metadata = { name: "whoami", namespace: "default", labels };

    new k8s.apps.v1.Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  name: "whoami",
                  image: args.image,
                  imagePullPolicy: "IfNotPresent",
                  ports: [{ containerPort: 80 }],
                  readinessProbe: { httpGet: { path: "/health", port: 80 }, periodSeconds: 2 },
                  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
                },
              ],
            },
          },
        },
      },
      child,
    );
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      { metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: 80 }] } },
      child,
    );
    new k8s.networking.v1.Ingress(
      `${name}-ingress`,
      {
        // ingress-nginx serves an Ingress within a second and writes its status once a minute: nothing to wait for.
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          ingressClassName: args.ingress.ingressClass,
          rules: [
            {
              host: args.host,
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: service.metadata.name, port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      },
      { ...child, dependsOn: args.ingress.release },
    );
    this.registerOutputs();
  }
}
