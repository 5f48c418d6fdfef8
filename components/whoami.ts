/** A small application that answers with the request it got: shows that the ingress works. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "./cluster.ts";
import { declareIngress, type IngressController } from "./ingress.ts";

export interface WhoamiArgs {
  cluster: Cluster;
  ingress: IngressController;
  /** Host name that the ingress answers for. */
  host: string;
  image: string;
}

export class Whoami extends pulumi.ComponentResource {
  constructor(name: string, args: WhoamiArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a component waits for the resources in them, and only the Ingress has to wait for the controller.
    super("vault-ha:ingress:Whoami", name, {}, opts);
    const child = { parent: this, provider: args.cluster.provider, ...args.cluster.end };
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
    declareIngress(
      `${name}-ingress`,
      { ingress: args.ingress, host: args.host, service: service.metadata.name, port: 80, metadata },
      child,
    );
    this.registerOutputs();
  }
}
