/** The containers of scheduled snapshots: the one that saves, and the one that brings a snapshot to a bucket. */
import type { BucketSettings } from "../settings/choices.ts";
import { bucketEnv, bucketPlace } from "../steps/lib/backup-bucket.ts";
import { backupLogin } from "../steps/lib/backup-login.ts";
import type { CronJobArgs } from "./backup-job.ts";
import { backupScript } from "./backup-script.ts";
import { bucketScript } from "./bucket-script.ts";
import { activeService } from "./edge-names.ts";
import { podTls } from "./pod-tls.ts";
import { valueAt } from "./values-file.ts";

const folders = { backups: "/backups", token: "/var/run/secrets/vault-ha", tls: "/vault-tls" };
const record = "/dev/termination-log";

/** Of each container. Where it fails, the last lines of its log are its message. */
const common = {
  terminationMessagePolicy: "FallbackToLogsOnError",
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "512Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
};
const mounts = {
  backups: { name: "backups", mountPath: folders.backups },
  tmp: { name: "tmp", mountPath: "/tmp" },
};

/** One of a container's variables: its value, or the Secret that has it. */
interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string; optional: boolean } };
}
const variables = (env: Record<string, string>): Variable[] =>
  Object.entries(env).map(([name, value]) => ({ name, value }));

/** The container that saves a snapshot to the folder of backups. */
export function saving({
  stack,
  settings: { vault, backup },
  scheme,
  values,
}: Omit<CronJobArgs, "rcloneImage">) {
  const tls = podTls(vault.tls);
  const pullPolicy = valueAt(values, "server.image.pullPolicy");
  return {
    ...common,
    name: "backup",
    image: `${valueAt(values, "server.image.repository")}:${valueAt(values, "server.image.tag")}`,
    imagePullPolicy: typeof pullPolicy === "string" ? pullPolicy : "IfNotPresent",
    command: ["sh", "-c", backupScript],
    env: variables({
      VAULT_ADDR: `${scheme}://${activeService}.${vault.namespace}.svc:8200`,
      // The first node's name stands in every certificate, whoever made it.
      ...(tls && {
        VAULT_CACERT: `${folders.tls}/ca.crt`,
        VAULT_TLS_SERVER_NAME: "vault-0.vault-internal",
      }),
      VAULT_CLIENT_TIMEOUT: "30m",
      HOME: "/tmp",
      FOLDER: folders.backups,
      KEEP: String(backup.bucket ? 1 : backup.keep),
      STACK: stack,
      MOUNT: backupLogin.mount,
      ROLE: backupLogin.role,
      JWT: `${folders.token}/token`,
      RECORD: record,
    }),
    volumeMounts: [
      mounts.backups,
      { name: "token", mountPath: folders.token, readOnly: true },
      mounts.tmp,
      ...(tls ? [{ name: "tls", mountPath: folders.tls, readOnly: true }] : []),
    ],
  };
}

/** The container that brings it to the bucket. It has no login to Vault, and the other one no key to the bucket. */
export function bringing(stack: string, bucket: BucketSettings, keep: number, image: string) {
  const { endpoint, region, pathStyle, secretName } = bucket;
  const fromSecret = (name: string): Variable[] =>
    // `optional`: a pod that waits for its Secret would say nothing for an hour.
    secretName
      ? [{ name, valueFrom: { secretKeyRef: { name: secretName, key: name, optional: true } } }]
      : [];
  return {
    ...common,
    name: "backup",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", bucketScript],
    env: [
      ...variables({
        ...bucketEnv(bucketPlace(stack, bucket)),
        RCLONE_CONFIG: "/dev/null",
        RCLONE_S3_PROVIDER: endpoint === undefined ? "AWS" : "Other",
        ...(endpoint !== undefined && { RCLONE_S3_ENDPOINT: endpoint }),
        RCLONE_S3_REGION: region,
        RCLONE_S3_FORCE_PATH_STYLE: String(pathStyle),
        // From the environment, or from what the cloud gives the pod's service account.
        RCLONE_S3_ENV_AUTH: "true",
        // It is there, and its key need not be allowed to make one.
        RCLONE_S3_NO_CHECK_BUCKET: "true",
        RCLONE_RETRIES: "1",
        RCLONE_LOW_LEVEL_RETRIES: "5",
        HOME: "/tmp",
        FOLDER: folders.backups,
        KEEP: String(keep),
        STACK: stack,
        RECORD: record,
      }),
      ...fromSecret("AWS_ACCESS_KEY_ID"),
      ...fromSecret("AWS_SECRET_ACCESS_KEY"),
    ],
    volumeMounts: [{ ...mounts.backups, readOnly: true }, mounts.tmp],
  };
}
