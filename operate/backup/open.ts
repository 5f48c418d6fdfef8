/** The snapshots that a schedule has saved: which there are, and how one comes to this machine. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandError } from "../../setup/command.ts";
import type { Environment } from "../../setup/environment.ts";
import type { BucketPlace } from "../../steps/lib/backup-bucket.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { readSnapshot, type SnapshotFacts } from "../../steps/lib/snapshot-file.ts";
import { SnapshotRecord, writeRecord } from "../../steps/lib/snapshot-record.ts";
import type { Waiting } from "../../steps/lib/wait.ts";
import { renameWhole } from "../../steps/lib/whole-file.ts";
import type { OpenVault } from "../open-vault.ts";
import { type Reader, withReader } from "./reader.ts";
import { type Backup, backupView } from "./view.ts";

type Open = Pick<OpenVault, "target">;

/** What is listed, and the bucket that it is in; without one, a volume in the cluster. */
export interface Backups {
  bucket?: BucketPlace;
  /** The newest first. */
  backups: Backup[];
}

/**
 * The scheduled snapshots; undefined where the stack has no schedule. Those on the volume are what the last good job has
 * told. A bucket is asked itself: it may have those of a Vault that is lost, and they are wanted most then.
 * @param alone is called before a pod is made for that
 */
export async function listBackups(
  { target }: Open,
  env: Environment,
  step: Waiting,
  alone: () => Promise<void>,
): Promise<Backups | undefined> {
  const { kubeconfig, namespace } = target.reach;
  const view = await backupView(await openKube(kubeconfig), namespace, step.signal);
  if (view === undefined) return undefined;
  if (view.bucket === undefined) return { backups: view.good?.kept ?? [] };
  await alone();
  return { bucket: view.bucket, backups: await withReader({ target }, env, step, inBucket) };
}

/** Where the volume is mounted in the pod. */
const backupFolder = "/backups";

/** Path of an object or a folder in the bucket, as rclone takes it. */
const remote = ({ name, folder }: BucketPlace, path: string) => `:s3:${name}/${folder}/${path}`;

/** All snapshots of the stack's name in the bucket, of whichever Vault; the newest first. */
async function inBucket({ bucket, run }: Reader): Promise<Backup[]> {
  if (bucket === undefined) return [];
  const list = ["rclone", "lsf", "--recursive", "--files-only", "--format", "ps", remote(bucket, "")];
  return backupsIn(await run(list)).sort((one, other) => other.file.localeCompare(one.file));
}

/** What `rclone lsf` prints, a line for each object: `<cluster id>/<snapshot>;<size>`. Anything else is left out. */
export function backupsIn(listed: string): Backup[] {
  return listed.split("\n").flatMap((line) => {
    const [, clusterId, file, size] = /^([\w-]+)\/([\w.-]+\.snap);(\d+)$/.exec(line) ?? [];
    return clusterId && file ? [{ file, size: Number(size), clusterId }] : [];
  });
}

/**
 * Brings one of them and its record to this machine: a file that its owner alone may read (0600), named once it is whole.
 * @param name as `listBackups` gives it
 * @param file where it goes; must not exist
 * @throws CommandError where there is none of the name, or it does not come whole. Nothing is left of it then.
 */
export async function fetchBackup(
  { target }: Open,
  name: string,
  file: string,
  env: Environment,
  step: Waiting,
): Promise<SnapshotFacts> {
  const { kubeconfig, namespace } = target.reach;
  const view = await backupView(await openKube(kubeconfig), namespace, step.signal);
  if (view?.bucket === undefined) refuseUnknown(name, view?.good?.kept ?? []);
  const temporary = `${file}.${process.pid}.part`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // It keeps its mode when it is written to.
  await writeFile(temporary, "", { mode: 0o600, flag: "wx" });
  try {
    const record = await withReader({ target }, env, step, async (reader) => {
      const command = await reading(reader, name);
      await reader.run(command(name), { stdout: { file: temporary } });
      return SnapshotRecord.parse(JSON.parse(await reader.run(command(`${name}.json`))));
    });
    const facts = await readSnapshot(temporary);
    if (facts.sha256 !== record.sha256)
      throw new CommandError(
        `${name} is not what its record was written for: it was changed, or came in part.`,
      );
    await writeRecord(file, record);
    await renameWhole(temporary, file);
    return facts;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The command that prints a file of the snapshot's folder. */
async function reading(reader: Reader, name: string): Promise<(file: string) => string[]> {
  const { bucket } = reader;
  if (bucket === undefined) return (file) => ["cat", `${backupFolder}/${file}`];
  const wanted = refuseUnknown(name, await inBucket(reader));
  return (file) => ["rclone", "cat", remote(bucket, `${wanted.clusterId}/${file}`)];
}

function refuseUnknown(name: string, known: readonly Backup[]): Backup {
  const [wanted, another] = known.filter(({ file }) => file === name);
  if (wanted === undefined)
    throw new CommandError(
      `There is no scheduled snapshot ${name}${known.length ? `; there are ${known.map(({ file }) => file).join(", ")}` : ""}.`,
    );
  if (another !== undefined)
    throw new CommandError(
      `Two Vaults have a snapshot ${name} in the bucket: ${wanted.clusterId} and ${another.clusterId}.`,
    );
  return wanted;
}
