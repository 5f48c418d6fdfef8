/**
 * A stack's snapshots on this machine, and what is noted beside a snapshot, in <snapshot>.json: what only a Vault that is
 * unsealed tells, and what was proved.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "./whole-file.ts";

/** That a snapshot was restored somewhere, and read. */
export const Proof = z.object({
  provedAt: z.iso.datetime(),
  /** From the moment in which the pods ran until everything had been read. */
  seconds: z.number(),
  /** How many secrets were read. */
  secrets: z.number().int(),
});
export type Proof = z.output<typeof Proof>;

export const SnapshotRecord = z.object({
  version: z.literal(1),
  stack: z.string(),
  /** The id of the Vault that it is of. */
  clusterId: z.string().optional(),
  savedAt: z.iso.datetime(),
  vaultVersion: z.string().optional(),
  index: z.number().int(),
  term: z.number().int(),
  size: z.number().int(),
  sha256: z.string(),
  /** Stood in the cubbyhole of the stack's token when the snapshot was taken. No secret. */
  marker: z.string().optional(),
  proof: Proof.optional(),
  /** In the stack's folder, of a snapshot that was saved to another place: its path. */
  elsewhere: z.string().optional(),
});
export type SnapshotRecord = z.output<typeof SnapshotRecord>;

/** The folder of a stack's snapshots. */
export function snapshotFolder(stackDir: string): string {
  return join(stackDir, "snapshots");
}

/** The snapshots of a stack on this machine. None of them is read. */
export async function snapshotFiles(stackDir: string): Promise<string[]> {
  const folder = snapshotFolder(stackDir);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(".snap") && !name.startsWith("."))
    .map((name) => join(folder, name));
}

/** Where the buckets are noted that scheduled snapshots went to. */
const bucketsFile = "buckets.json";
const Buckets = z.array(z.string());

/** The buckets of a stack's scheduled snapshots, as s3://...; also of those that are none any more. */
async function notedBuckets(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, bucketsFile), "utf8").catch(() => "[]");
  return Buckets.parse(JSON.parse(text));
}

/** Notes a bucket of scheduled snapshots, so that the keys stay as long as they may be there. */
export async function noteBucket(stackDir: string, bucket: string): Promise<void> {
  const folder = snapshotFolder(stackDir);
  const noted = await notedBuckets(folder);
  if (noted.includes(bucket)) return;
  await writeWhole(join(folder, bucketsFile), `${JSON.stringify([...noted, bucket])}\n`);
}

/** Where else snapshots of a stack were saved to; whether they are there still is not known. */
export async function savedElsewhere(stackDir: string): Promise<string[]> {
  const folder = snapshotFolder(stackDir);
  const names = await readdir(folder).catch(() => []);
  const records = names.filter((name) => name.endsWith(".snap.json")).map((name) => name.slice(0, -5));
  const read = await Promise.all(records.map((name) => readRecord(join(folder, name))));
  const files = read.flatMap((record) => (record?.elsewhere === undefined ? [] : [record.elsewhere]));
  return [...files, ...(await notedBuckets(folder))];
}

const recordPath = (snapshot: string) => `${snapshot}.json`;

/** Reads a snapshot's record; undefined where there is none that is known: it was made by other means. */
export async function readRecord(snapshot: string): Promise<SnapshotRecord | undefined> {
  const text = await readFile(recordPath(snapshot), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return SnapshotRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Writes a snapshot's record (0600). */
export async function writeRecord(snapshot: string, record: SnapshotRecord): Promise<void> {
  await writeWhole(recordPath(snapshot), `${JSON.stringify(record, null, 2)}\n`);
}
