/** The snapshots of a stack that lie on this machine. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { snapshotFolder } from "../../steps/lib/snapshot.ts";
import { readRecord, type SnapshotRecord } from "../../steps/lib/snapshot-record.ts";

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
  const folder = snapshotFolder(stackDir);
  const names = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const listed = await Promise.all(
    names
      .filter((name) => name.endsWith(".snap") && !name.startsWith("."))
      .map(async (name) => {
        const file = join(folder, name);
        const [{ size, mtime }, record] = await Promise.all([stat(file), readRecord(file)]);
        return { file, size, savedAt: record?.savedAt ?? mtime.toISOString(), ...(record && { record }) };
      }),
  );
  return listed.sort((one, other) => other.savedAt.localeCompare(one.savedAt));
}
