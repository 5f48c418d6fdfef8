/** The job of scheduled snapshots: what runs in its pod, as whom, and what is mounted there. */
import { backupLogin, backupName } from "../steps/lib/backup-login.ts";
import { bringing, saving } from "./backup-containers.ts";
import { podTls } from "./pod-tls.ts";
import { type Values, valueAt } from "./values-file.ts";
import type { VaultBackupArgs } from "./vault-backup.ts";

/** Of all that belongs to it. Not Vault's own labels: its services choose pods by those. */
export const backupLabels = { "app.kubernetes.io/name": backupName };

/** Vault's own account in its image; the chart runs it so, too. */
const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 100,
  runAsGroup: 1000,
  fsGroup: 1000,
  seccompProfile: { type: "RuntimeDefault" },
};

export interface CronJobArgs {
  stack: string;
  settings: Pick<VaultBackupArgs["settings"], "vault" | "backup">;
  scheme: "http" | "https";
  values: Values;
  rcloneImage: string;
}

/** The CronJob's spec. */
export function cronJobSpec({ stack, settings, scheme, values, rcloneImage }: CronJobArgs) {
  const { vault, backup } = settings;
  const { bucket } = backup;
  const tls = podTls(vault.tls);
  const pullSecrets = valueAt(values, "global.imagePullSecrets");
  const save = saving({ stack, settings, scheme, values });
  return {
    schedule: backup.schedule,
    timeZone: "Etc/UTC",
    concurrencyPolicy: "Forbid",
    // Where the cluster stood still at the time: it is made up for within an hour.
    startingDeadlineSeconds: 3600,
    // The pod of the last good one has what status tells.
    successfulJobsHistoryLimit: 1,
    failedJobsHistoryLimit: 1,
    jobTemplate: {
      metadata: { labels: backupLabels },
      spec: {
        backoffLimit: 1,
        activeDeadlineSeconds: 3600,
        template: {
          metadata: { labels: backupLabels },
          spec: {
            serviceAccountName: backupName,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            restartPolicy: "Never",
            securityContext: podSecurity,
            ...(Array.isArray(pullSecrets) &&
              pullSecrets.length > 0 && {
                imagePullSecrets: pullSecrets.map((each) =>
                  typeof each === "string" ? { name: each } : each,
                ),
              }),
            ...(bucket
              ? {
                  initContainers: [{ ...save, name: "save" }],
                  containers: [bringing(stack, bucket, backup.keep, rcloneImage)],
                }
              : { containers: [save] }),
            volumes: [
              bucket
                ? // A snapshot is no larger than the store that it is of.
                  { name: "backups", emptyDir: { sizeLimit: vault.storageSize } }
                : { name: "backups", persistentVolumeClaim: { claimName: backupName } },
              {
                name: "token",
                projected: {
                  sources: [
                    {
                      serviceAccountToken: {
                        audience: backupLogin.audience,
                        expirationSeconds: 600,
                        path: "token",
                      },
                    },
                  ],
                },
              },
              { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
              // The authority alone: the key stays with Vault.
              ...(tls
                ? [
                    {
                      name: "tls",
                      secret: { secretName: tls.secretName, items: [{ key: "ca.crt", path: "ca.crt" }] },
                    },
                  ]
                : []),
            ],
          },
        },
      },
    },
  };
}
