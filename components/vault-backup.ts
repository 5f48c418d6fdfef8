/** Snapshots on a schedule: a CronJob in Vault's namespace with a login of its own, and the volume that they go to. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { backupLogin, backupName } from "../steps/lib/backup-login.ts";
import { backupScript } from "./backup-script.ts";
import type { Cluster } from "./cluster.ts";
import { activeService } from "./edge-names.ts";
import { podTls } from "./pod-tls.ts";
import { type Values, valueAt } from "./values-file.ts";
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
}

export class VaultBackup extends pulumi.ComponentResource {
  constructor(name: string, args: VaultBackupArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a component waits for the resources in them.
    super("vault-ha:vault:VaultBackup", name, {}, opts);
    const { cluster, vault, lifecycle, settings, values } = args;
    const child = { parent: this, provider: cluster.provider, ...cluster.end, dependsOn: [lifecycle] };
    const metadata = { name: backupName, namespace: vault.namespace, labels: backupLabels };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    const volume = new k8s.core.v1.PersistentVolumeClaim(
      `${name}-volume`,
      {
        // A class may wait for the first pod, and that comes with the first snapshot.
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          accessModes: ["ReadWriteOnce"],
          ...(settings.vault.storageClass && { storageClassName: settings.vault.storageClass }),
          resources: { requests: { storage: settings.backup.size } },
        },
      },
      // Whoever takes the schedule away does not mean the snapshots; they end with their namespace.
      { ...child, retainOnDelete: true },
    );
    new k8s.batch.v1.CronJob(
      `${name}-cronjob`,
      { metadata, spec: cronJobSpec({ stack: pulumi.getStack(), settings, scheme: vault.scheme, values }) },
      { ...child, dependsOn: [lifecycle, account, volume] },
    );
    this.registerOutputs();
  }
}

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

const folders = { backups: "/backups", token: "/var/run/secrets/vault-ha", tls: "/vault-tls" };

/** The CronJob's spec. */
export function cronJobSpec({
  stack,
  settings: { vault, backup },
  scheme,
  values,
}: {
  stack: string;
  settings: Pick<VaultBackupArgs["settings"], "vault" | "backup">;
  scheme: "http" | "https";
  values: Values;
}) {
  const tls = podTls(vault.tls);
  const image = `${valueAt(values, "server.image.repository")}:${valueAt(values, "server.image.tag")}`;
  const pullPolicy = valueAt(values, "server.image.pullPolicy");
  const pullSecrets = valueAt(values, "global.imagePullSecrets");
  const env = {
    VAULT_ADDR: `${scheme}://${activeService}.${vault.namespace}.svc:8200`,
    // The first node's name stands in every certificate, whoever made it.
    ...(tls && {
      VAULT_CACERT: `${folders.tls}/ca.crt`,
      VAULT_TLS_SERVER_NAME: "vault-0.vault-internal",
    }),
    VAULT_CLIENT_TIMEOUT: "30m",
    HOME: "/tmp",
    FOLDER: folders.backups,
    KEEP: String(backup.keep),
    STACK: stack,
    MOUNT: backupLogin.mount,
    ROLE: backupLogin.role,
    JWT: `${folders.token}/token`,
    RECORD: "/dev/termination-log",
  };
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
            containers: [
              {
                name: "backup",
                image,
                imagePullPolicy: typeof pullPolicy === "string" ? pullPolicy : "IfNotPresent",
                command: ["sh", "-c", backupScript],
                env: Object.entries(env).map(([name, value]) => ({ name, value })),
                // Where it fails, the last lines of its log are its message.
                terminationMessagePolicy: "FallbackToLogsOnError",
                resources: {
                  requests: { cpu: "10m", memory: "64Mi" },
                  limits: { memory: "512Mi" },
                },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                volumeMounts: [
                  { name: "backups", mountPath: folders.backups },
                  { name: "token", mountPath: folders.token, readOnly: true },
                  { name: "tmp", mountPath: "/tmp" },
                  ...(tls ? [{ name: "tls", mountPath: folders.tls, readOnly: true }] : []),
                ],
              },
            ],
            volumes: [
              { name: "backups", persistentVolumeClaim: { claimName: backupName } },
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
