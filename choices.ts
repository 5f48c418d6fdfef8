/** Settings of which each belongs to one choice: where the certificate comes from, and who makes the cluster. */
import { mend, removal } from "./setting-words.ts";
import { type Key, settingList } from "./settings.ts";

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
type Read = (key: Key) => unknown;

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
}

/** undefined where there is no schedule; then the other settings of it may stay as they are. */
export function readBackup(read: Read): BackupSettings | undefined {
  const [schedule, keep, size] = (["backup.schedule", "backup.keep", "backup.size"] as const).map(read);
  return schedule === undefined ? undefined : ({ schedule, keep, size } as BackupSettings);
}
