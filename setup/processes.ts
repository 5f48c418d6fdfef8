import { existsSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** One process of one boot of this machine, told apart from a later one with the same number. */
export interface ProcessId {
  pid: number;
  /** When it started, in the kernel's ticks since boot: field 22 of /proc/<pid>/stat, see proc(5). */
  started: string;
  boot: string;
}

/** Names a running process; undefined if there is none of that number (or no /proc). */
export function identify(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold blanks; fields are counted after it, where the third one follows.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, started] = [fields[0], fields[19]];
    if (!started || state === "Z") return undefined;
    return { pid, started, boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() };
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs. */
export function stillRuns(id: ProcessId): boolean {
  const now = identify(id.pid);
  return now !== undefined && now.started === id.started && now.boot === id.boot;
}

/** Whether some process has this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * A running process's name as the kernel keeps it (15 characters at most); undefined if there is none.
 * One that has ended and that nobody asked about yet (a zombie) does not run.
 */
export function nameOf(pid: number): string | undefined {
  if (!identify(pid)) return undefined;
  const file = `/proc/${pid}/comm`;
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/** Asks again and again until the answer is not undefined or the time is over. */
export async function poll<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  { forMs, everyMs = 200 }: { forMs: number; everyMs?: number },
): Promise<T | undefined> {
  const end = performance.now() + forMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || performance.now() > end) return answer;
    await wait(everyMs);
  }
}
