/** Vault through the ingress: under its own certificate where it speaks HTTPS, as plain HTTP where it does not. */
import * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "./cluster.ts";
import { activeService } from "./edge-names.ts";
import { declareIngress, type IngressController } from "./ingress.ts";
import type { VaultRelease } from "./vault-release.ts";

export interface VaultIngressArgs {
  cluster: Cluster;
  ingress: IngressController;
  vault: VaultRelease;
  /** Host name that the ingress answers for; the certificate has to name it. */
  host: string;
}

export class VaultIngress extends pulumi.ComponentResource {
  constructor(name: string, args: VaultIngressArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a component waits for the resources in them, and nothing else waits for the controller.
    super("vault-ha:ingress:VaultIngress", name, {}, opts);
    const { cluster, ingress, vault, host } = args;
    declareIngress(
      `${name}-ingress`,
      {
        ingress,
        host,
        service: activeService,
        port: 8200,
        metadata: { name: "vault", namespace: vault.namespace },
        // Not ended at the controller and begun anew: it would not verify Vault's certificate.
        passthrough: vault.scheme === "https",
      },
      {
        parent: this,
        provider: cluster.provider,
        ...cluster.end,
        dependsOn: [vault.release],
      },
    );
    this.registerOutputs();
  }
}
