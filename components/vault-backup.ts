/** Snapshots on a schedule: a CronJob in Vault's namespace with a login of its own, and the volume that they go to, unless that is a bucket. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { backupName } from "../steps/lib/backup-login.ts";
import { backupLabels, cronJobSpec } from "./backup-job.ts";
import type { Cluster } from "./cluster.ts";
import type { Values } from "./values-file.ts";
import type { VaultLifecycle } from "./vault-lifecycle.ts";
import type { VaultRelease } from "./vault-release.ts";

export interface VaultBackupArgs {
  cluster: Cluster;
  vault: VaultRelease;
  /** Its login is made once Vault is proved. */
  lifecycle: VaultLifecycle;
  settings: Pick<Settings, "vault"> & { backup: NonNullable<Settings["backup"]> };
  /** The values of Vault's release: the image that they name, and how it is pulled. */
  values: Values;
  /** The image that brings a snapshot to a bucket. */
  rcloneImage: string;
}

export class VaultBackup extends pulumi.ComponentResource {
  constructor(name: string, args: VaultBackupArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a component waits for the resources in them.
    super("vault-ha:vault:VaultBackup", name, {}, opts);
    const { cluster, vault, lifecycle, settings, values, rcloneImage } = args;
    const child = { parent: this, provider: cluster.provider, ...cluster.end, dependsOn: [lifecycle] };
    const metadata = { name: backupName, namespace: vault.namespace, labels: backupLabels };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const volume =
      settings.backup.bucket === undefined &&
      new k8s.core.v1.PersistentVolumeClaim(
        `${name}-volume`,
        {
          metadata: {
            ...metadata,
            annotations: {
              // A class may wait for the first pod, and that comes with the first snapshot.
              "pulumi.com/skipAwait": "true",
              // One that an earlier schedule has left is this program's own: of another size it grows, where its class
              // lets it, and is refused in Kubernetes' words where not.
              "pulumi.com/patchForce": "true",
            },
          },
          spec: {
            accessModes: ["ReadWriteOnce"],
            ...(settings.vault.storageClass && { storageClassName: settings.vault.storageClass }),
            resources: { requests: { storage: settings.backup.size } },
          },
        },
        // Whoever takes the schedule away does not mean the snapshots; they end with their namespace.
        { ...child, retainOnDelete: true },
      );
    const spec = cronJobSpec({
      stack: pulumi.getStack(),
      settings,
      scheme: vault.scheme,
      values,
      rcloneImage,
    });
    new k8s.batch.v1.CronJob(
      `${name}-cronjob`,
      { metadata, spec },
      { ...child, dependsOn: [lifecycle, account, ...(volume ? [volume] : [])] },
    );
    this.registerOutputs();
  }
}
