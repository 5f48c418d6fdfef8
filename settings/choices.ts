/** Settings of which each belongs to one choice: where the certificate comes from, who makes the cluster, where backups go. */

import { type Key, settingList } from "./list.ts";
import { mend, removal } from "./words.ts";

/** Where Vault's certificate comes from. */
export type TlsSettings =
  | { source: "selfSigned" }
  | { source: "secret"; secretName: string }
  | { source: "files"; certFile: string; keyFile: string; caFile: string };

/** A Kubernetes cluster that somebody else has made. */
export interface ExistingSettings {
  context: string;
  /** undefined: $KUBECONFIG, then ~/.kube/config. */
  kubeconfig: string | undefined;
}

/** The value of a setting as its rule gives it; undefined where there is none, or it does not fit. */
export type Read = (key: Key) => unknown;

/** What belongs to one driver alone; a key's begin stands for all that follow it. */
const driverParts = {
  kind: ["cluster.workers", "cluster.listenAddress", "cluster.ports.", "ingress.", "whoami."],
  existing: ["cluster.context", "cluster.kubeconfig"],
};

/** What is given for the driver that the stack does not have, and a problem for each. */
export function foreignSettings(given: Record<string, string>): { keys: string[]; problems: string[] } {
  const driver = given["cluster.driver"] === "existing" ? "existing" : "kind";
  const others = driverParts[driver === "kind" ? "existing" : "kind"];
  const keys = Object.keys(given).filter(
    (key) => Object.hasOwn(settingList, key) && others.some((begin) => key.startsWith(begin)),
  );
  const problems = keys.map(
    (key) => `${key}: the driver ${driver} (cluster.driver) does not use it.\n    ${removal(key)}`,
  );
  return { keys, problems };
}

/** undefined where kind makes the cluster. */
export function readExisting(read: Read, problems: string[]): ExistingSettings | undefined {
  if (read("cluster.driver") !== "existing") return undefined;
  const found = problems.length;
  const context = read("cluster.context") as string | undefined;
  if (context === undefined && problems.length === found)
    problems.push(
      `cluster.context: the driver existing (cluster.driver) needs it; kubectl config get-contexts names them.\n    ${mend("cluster.context", undefined)}`,
    );
  return { context: context ?? "", kubeconfig: read("cluster.kubeconfig") as string | undefined };
}

/** What belongs to each source, and to no other. */
const tlsParts = {
  selfSigned: [],
  secret: ["vault.tls.secretName"],
  files: ["vault.tls.certFile", "vault.tls.keyFile", "vault.tls.caFile"],
} as const satisfies Record<TlsSettings["source"], readonly Key[]>;

/** undefined where TLS is off; then the other settings of TLS may stay as they are. */
export function readTls(read: Read, problems: string[]): TlsSettings | undefined {
  const [enabled, source] = [read("vault.tls.enabled"), read("vault.tls.source")];
  const parts: Key[] = Object.values(tlsParts).flat();
  const given = new Map(parts.map((key) => [key, read(key)]));
  if (enabled !== true || source === undefined) return undefined;
  const wanted: readonly Key[] = tlsParts[source as TlsSettings["source"]];
  for (const [key, value] of given) {
    const because = `the source ${source} (vault.tls.source)`;
    if (wanted.includes(key) && value === undefined)
      problems.push(`${key}: ${because} needs it.\n    ${mend(key, undefined)}`);
    if (!wanted.includes(key) && value !== undefined)
      problems.push(`${key}: ${because} does not use it.\n    ${removal(key)}`);
  }
  const values = wanted.map((key) => [key.slice("vault.tls.".length), given.get(key)]);
  return { source, ...Object.fromEntries(values) } as TlsSettings;
}

/** Snapshots on a schedule. */
export interface BackupSettings {
  /** A cron expression, in UTC. */
  schedule: string;
  /** How many are kept. */
  keep: number;
  /** Size of their volume. */
  size: string;
  /** Where they go in place of a volume. */
  bucket: BucketSettings | undefined;
}

/** A bucket of S3, or of what speaks it. */
export interface BucketSettings {
  name: string;
  /** undefined: Amazon's S3. */
  endpoint: string | undefined;
  region: string;
  prefix: string;
  /** undefined: the pod's own identity. */
  secretName: string | undefined;
  pathStyle: boolean;
}

const bucketKeys = ["name", "endpoint", "insecure", "region", "prefix", "secretName", "pathStyle"] as const;

/** undefined where there is no schedule; then the other settings of it may stay as they are. */
export function readBackup(
  given: Record<string, string>,
  read: Read,
  problems: string[],
): BackupSettings | undefined {
  const [schedule, keep, size] = (["backup.schedule", "backup.keep", "backup.size"] as const).map(read);
  const bucket = readBucket(given, read, schedule === undefined ? [] : problems);
  return schedule === undefined ? undefined : ({ schedule, keep, size, bucket } as BackupSettings);
}

/** undefined where no bucket is named. What would do nothing then, or beside a bucket, is a problem. */
function readBucket(
  given: Record<string, string>,
  read: Read,
  problems: string[],
): BucketSettings | undefined {
  const [name, endpoint, insecure, region, prefix, secretName, pathStyle] = bucketKeys.map((key) =>
    read(`backup.bucket.${key}`),
  );
  if (given["backup.bucket.name"] === undefined) {
    for (const key of bucketKeys.map((each) => `backup.bucket.${each}` as const))
      if (given[key] !== undefined)
        problems.push(
          `${key}: no bucket is named (backup.bucket.name), so snapshots go to a volume.\n    ${removal(key)}`,
        );
    return undefined;
  }
  if (given["backup.size"] !== undefined)
    problems.push(
      `backup.size: snapshots go to a bucket (backup.bucket.name), and there is no volume.\n    ${removal("backup.size")}`,
    );
  if (typeof endpoint === "string" && endpoint.startsWith("http://") && insecure === false)
    problems.push(
      `backup.bucket.endpoint: ${endpoint} is not encrypted on its way.\n    ${mend("backup.bucket.endpoint", endpoint.replace("http", "https"))}\n    ${mend("backup.bucket.insecure", "true")}`,
    );
  return {
    ...({ name, endpoint, region, prefix, secretName } as BucketSettings),
    pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === true,
  };
}
