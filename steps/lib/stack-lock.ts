import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { NotYet, StepError, words } from "./errors.ts";
import { until, type Waiting } from "./wait.ts";

/** The files of a stack's lock, in the stack's folder: the lock itself, and who holds it. */
export const lockFiles = ["step.lock", "step.lock.json"] as const;

const Holder = z.object({ step: z.string(), pid: z.number(), since: z.iso.datetime() });

/**
 * Takes the stack's lock for the rest of this process: one step at a time works on a stack. A pulumi that was killed
 * leaves its step at work, and the next run's step must not act beside it; it waits, and says for whom and how long.
 *
 * The lock is SQLite's on an empty file: the kernel frees it with the process, however that ends, so there is no
 * stale lock to judge (https://www.sqlite.org/lockingv3.html). Node has no flock, and flock(1) is not on macOS.
 *
 * @param name the step and its pod, as in "join vault-1"
 * @returns what gives it back, for a process that goes on without it
 * @throws StepError when the holder has not ended at `step.deadline`
 */
export async function takeStackLock(stackDir: string, name: string, step: Waiting): Promise<() => void> {
  const [lockFile, holderFile] = lockFiles.map((file) => join(stackDir, file)) as [string, string];
  await mkdir(stackDir, { recursive: true, mode: 0o700 });
  const database = opened(lockFile);
  let told = false;
  await until(
    "the stack to be free",
    async () => {
      if (take(database, lockFile)) return;
      const holder = await readHolder(holderFile);
      if (!told) step.say(`${holder}, of another run: waiting for it to end`);
      told = true;
      throw new NotYet(holder);
    },
    step,
    `cat ${holderFile}   (who holds it; that process ends at its own limit, or with kill <pid>)`,
  );
  const holder: z.output<typeof Holder> = { step: name, pid: process.pid, since: new Date().toISOString() };
  await writeFile(holderFile, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  return () => {
    held.delete(database);
    database.close();
  };
}

/** Who holds the stack's lock, in words; undefined where nobody does. Takes nothing and changes nothing. */
export async function stackLockHolder(stackDir: string): Promise<string | undefined> {
  const [lockFile, holderFile] = lockFiles.map((file) => join(stackDir, file)) as [string, string];
  if (!existsSync(lockFile)) return undefined;
  const database = new DatabaseSync(lockFile, { readOnly: true, timeout: 0 });
  try {
    database.prepare("SELECT count(*) FROM sqlite_master").get();
    return undefined;
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    return await readHolder(holderFile);
  } finally {
    database.close();
  }
}

function opened(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (error) {
    throw new StepError(`cannot open the stack's lock ${file}: ${words(error)}`, `ls -l ${file}`);
  }
}

/** SQLITE_BUSY: https://www.sqlite.org/rescode.html#busy */
const busy = 5;

function take(database: DatabaseSync, file: string): boolean {
  try {
    // Nothing is ever written; a journal beside the file would only stay behind.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    held.add(database);
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy) return false;
    throw new StepError(`cannot take the stack's lock ${file}: ${words(error)}`, `rm ${file}`);
  }
}

/** Keeps the connection, and with it the lock, from being collected as garbage. */
const held = new Set<DatabaseSync>();

async function readHolder(file: string): Promise<string> {
  try {
    const { step, pid, since } = Holder.parse(JSON.parse(await readFile(file, "utf8")));
    return `step ${step} still runs (process ${pid}, since ${since})`;
  } catch {
    return "a step still runs";
  }
}
