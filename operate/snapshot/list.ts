/** The snapshots of a stack that lie on this machine. */
import { stat } from "node:fs/promises";
import { readRecord, type SnapshotRecord, snapshotFiles } from "../../steps/lib/snapshot-record.ts";

/** One of them. What is not in its record is not known: it was made by other means. */
export interface Listed {
  file: string;
  size: number;
  /** When it was taken; where that is not noted, when the file was written. */
  savedAt: string;
  record?: SnapshotRecord;
}

/** All that end in .snap in the stack's folder, the newest first. Reads none of them. */
export async function listSnapshots(stackDir: string): Promise<Listed[]> {
  const files = await snapshotFiles(stackDir);
  const listed = await Promise.all(
    files.map(async (file) => {
      const [{ size, mtime }, record] = await Promise.all([stat(file), readRecord(file)]);
      return { file, size, savedAt: record?.savedAt ?? mtime.toISOString(), ...(record && { record }) };
    }),
  );
  return listed.sort((one, other) => other.savedAt.localeCompare(one.savedAt));
}
