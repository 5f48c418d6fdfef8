/** Has Prometheus' operator scrape each Vault node, where the cluster knows what a ServiceMonitor is. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { knowsServiceMonitors, monitoringGroup } from "../setup/service-monitors.ts";
import { words } from "../steps/lib/errors.ts";
import { openKube } from "../steps/lib/kube.ts";
import type { Cluster } from "./cluster.ts";
import { podTls } from "./pod-tls.ts";
import type { VaultRelease } from "./vault-release.ts";

export interface VaultMonitorArgs {
  cluster: Cluster;
  vault: VaultRelease;
  settings: Pick<Settings, "vault" | "telemetry">;
}

export class VaultMonitor extends pulumi.ComponentResource {
  constructor(name: string, args: VaultMonitorArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a component waits for the resources in them.
    super("vault-ha:vault:VaultMonitor", name, {}, opts);
    const { cluster, vault, settings } = args;
    // Asked at every run: where the operator comes later, the next one declares it.
    cluster.kubeconfig.apply(async (kubeconfig) => {
      if (!(await isKnown(kubeconfig))) return;
      new k8s.apiextensions.CustomResource(
        `${name}-monitor`,
        {
          apiVersion: `${monitoringGroup}/v1`,
          kind: "ServiceMonitor",
          metadata: { name: "vault", namespace: vault.namespace, labels: settings.telemetry.monitorLabels },
          spec: monitorSpec(settings),
        },
        { parent: this, provider: cluster.provider, ...cluster.end, dependsOn: [vault.release] },
      );
    });
    this.registerOutputs();
  }
}

/**
 * Whether the cluster knows ServiceMonitors. Not known is not no: what is declared already would be taken away.
 * @throws RunError where it does not answer
 */
async function isKnown(kubeconfig: string): Promise<boolean> {
  try {
    return await knowsServiceMonitors(await openKube(kubeconfig), AbortSignal.timeout(20_000));
  } catch (error) {
    throw new pulumi.RunError(
      `whether the cluster knows ServiceMonitors (telemetry.enabled) could not be asked: ${words(error)}\n  npm run up   (starts the cluster's nodes where they are stopped)`,
    );
  }
}

/** What is scraped: each node by itself, also one that is sealed, which the service vault-internal still lists. */
export function monitorSpec({ vault }: Pick<Settings, "vault">) {
  const tls = podTls(vault.tls);
  return {
    namespaceSelector: { matchNames: [vault.namespace] },
    selector: { matchLabels: { "app.kubernetes.io/instance": "vault", "vault-internal": "true" } },
    endpoints: [
      {
        port: tls ? "https" : "http",
        scheme: tls ? "https" : "http",
        path: "/v1/sys/metrics",
        params: { format: ["prometheus"] },
        interval: "30s",
        scrapeTimeout: "10s",
        ...(tls && {
          tlsConfig: {
            ca: { secret: { name: tls.secretName, key: "ca.crt" } },
            // One name for all nodes, which go by their addresses here: the first node's stands in every certificate.
            serverName: "vault-0.vault-internal",
          },
        }),
      },
    ],
  };
}
