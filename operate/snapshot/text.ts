import { table } from "../../setup/summary.ts";
import { bucketUrl } from "../../steps/lib/backup-bucket.ts";
import type { SnapshotFacts } from "../../steps/lib/snapshot-file.ts";
import type { SnapshotRecord } from "../../steps/lib/snapshot-record.ts";
import type { Backups } from "../backup/open.ts";
import type { Listed } from "./list.ts";

/** The list as a table; the newest first. */
export function listText(stack: string, listed: readonly Listed[]): string {
  if (listed.length === 0) return `Stack ${stack} has no snapshot on this machine.\n`;
  const rows = listed.map(({ file, size, savedAt, record }) => [
    file,
    savedAt,
    record ? String(record.index) : "not noted",
    bytes(size),
    record?.clusterId?.slice(0, 8) ?? "not noted",
    record?.proof ? `${record.proof.provedAt.slice(0, 10)}, ${record.proof.seconds} s` : "never",
  ]);
  return `${table(["file", "taken", "raft index", "size", "cluster", "restore proved"], rows).join("\n")}\n`;
}

/** The scheduled ones, in the cluster or a bucket; nothing where there is no schedule. */
export function backupsText(stack: string, scheduled: Backups | undefined): string {
  if (scheduled === undefined) return "";
  const { bucket, backups } = scheduled;
  const flag = stack === "dev" ? "" : ` --stack ${stack}`;
  const where = bucket ? `In ${bucketUrl(bucket)}` : "In the cluster";
  if (backups.length === 0) return `${where}: none yet.\n`;
  const rows = backups.map(({ file, size, clusterId }) => [
    file,
    bytes(size),
    ...(clusterId ? [clusterId.slice(0, 8)] : []),
  ]);
  const head = ["file", "size", ...(bucket ? ["cluster"] : [])];
  return `${where} (npm run snapshot fetch <snapshot>${flag && ` --${flag}`}):\n${table(head, rows).join("\n")}\n`;
}

/** What is in one of them. */
export function factsText(file: string, facts: SnapshotFacts, record: SnapshotRecord | undefined): string {
  const noted = (value: string | undefined) =>
    value ?? "not noted (no record of this program lies beside it)";
  const rows = [
    ["file", file],
    ["size", `${bytes(facts.size)} (${facts.size} bytes)`],
    ["SHA-256", facts.sha256],
    ["raft index", `${facts.index}, term ${facts.term}`],
    ["raft servers", facts.servers.join(", ")],
    ["entries", `${facts.entries} of Vault's storage, each encrypted`],
    ["Vault version", facts.vaultVersion ?? "not in it"],
    [
      "seal",
      facts.seal
        ? facts.seal.type === "shamir"
          ? `${facts.seal.type}, ${facts.seal.threshold} of ${facts.seal.shares} shares open it`
          : `${facts.seal.type}, whose key alone opens it`
        : "not in it",
    ],
    ["cluster id", noted(record?.clusterId)],
    ["taken", noted(record?.savedAt)],
    [
      "restore proved",
      record?.proof
        ? `${record.proof.provedAt}: ${record.proof.secrets} secrets read, ${record.proof.seconds} s`
        : "never",
    ],
    ["checksums", `right${facts.sealed ? ", and sealed by Vault" : "; not sealed by Vault"}`],
  ];
  return `${rows.map(([name = "", value]) => `  ${name.padEnd(14)}  ${value}`).join("\n")}\n`;
}

/** So many bytes, as people say it. */
export function bytes(size: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  const at = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  return at === 0 ? `${size} bytes` : `${(size / 1024 ** at).toFixed(1)} ${units[at]}`;
}
