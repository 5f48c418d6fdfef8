/** What is done to the volume of a Standalone, in the one order in which nothing can be lost. */
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { StepError } from "../../steps/lib/errors.ts";
import type { Said } from "../doctor/evidence/inside.ts";
import { firstNodeAddress, migrationScript } from "./volume-script.ts";

/** A place in which the volume is mounted and no Vault runs. */
export interface VolumePlace {
  /** Where it is mounted there. */
  folder: string;
  /** Runs a command there; its standard output goes into the file of that path, where one is given. */
  run(command: string[], into?: string): Promise<Said>;
}

/**
 * Keeps a copy of the volume on this machine, unless there is one, and brings the data into Raft. To be run again after
 * whatever has cut it off.
 * @param copy path of the copy: a tar, readable by you alone. What Vault stores is encrypted
 * @throws StepError with the words of what failed; the file storage is as it was then
 */
export async function migrateVolume(
  { folder, run }: VolumePlace,
  { copy, address = firstNodeAddress }: { copy: string; address?: string },
  say: (line: string) => void,
): Promise<void> {
  if (existsSync(copy)) say(`a copy of the volume is in ${copy} already`);
  else {
    await keepCopy(copy, (into) => run(["tar", "-C", folder, "-cf", "-", "."], into));
    say(`a copy of the volume is in ${copy}`);
  }
  const { exitCode, stdout, stderr } = await run(["sh", "-c", migrationScript, "sh", folder, address]);
  if (exitCode !== 0)
    throw new StepError(
      `the data was not brought over, and the file storage is as it was: ${lastLines(stderr || stdout)}`,
    );
  const keys = (stdout + stderr).split("\n").filter((line) => line.includes("copied key:")).length;
  say(keys > 0 ? `${keys} entries are in Raft now` : "the data is in Raft already");
}

async function keepCopy(copy: string, write: (into: string) => Promise<Said>): Promise<void> {
  const fresh = `${copy}.${process.pid}.tmp`;
  // Made first, so that nobody else can read it at any time.
  const file = await open(fresh, "w", 0o600);
  try {
    const { exitCode, stderr } = await write(fresh);
    if (exitCode !== 0)
      throw new StepError(`the volume could not be copied, nothing was changed: ${lastLines(stderr)}`);
    await file.sync();
    await rename(fresh, copy);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

const lastLines = (text: string) => text.trim().split("\n").slice(-3).join("; ");
