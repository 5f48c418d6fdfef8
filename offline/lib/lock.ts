import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** A lock that is held until `release`, or until this process ends in any way. */
export interface Held {
  release(): Promise<void>;
}

/**
 * Takes an exclusive lock on a file (made if missing, never removed). The kernel frees it with the
 * process, also after SIGKILL or a loss of power, so there is no stale lock to judge.
 *
 * Node has no flock(2), so flock(1) of util-linux, which every Linux has, holds it: its child waits for
 * the end of a pipe that this process keeps open. Unlike a lock by a socket's name, it also works between
 * containers that share the cache folder.
 *
 * With "give up" the answer is undefined when another process holds it; otherwise this waits, and calls
 * `onWaiting` once if it has to.
 */
export async function lock(path: string, otherwise: "give up"): Promise<Held | undefined>;
export async function lock(path: string, otherwise: () => void): Promise<Held>;
export async function lock(path: string, otherwise: "give up" | (() => void)): Promise<Held | undefined> {
  await mkdir(dirname(path), { recursive: true });
  const held = await take(path, ["--nonblock"]);
  if (held || otherwise === "give up") return held;
  otherwise();
  return take(path, []);
}

/** flock's own code for "somebody else has it", chosen so that no other failure is taken for it. */
const TAKEN = 117;

async function take(path: string, flags: string[]): Promise<Held | undefined> {
  const child = spawn(
    "flock",
    ["--exclusive", "--conflict-exit-code", String(TAKEN), ...flags, path, "sh", "-c", "echo held; exec cat"],
    // In a group of its own: Ctrl-C must not free the lock while this process still tidies up.
    { stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  let complaint = "";
  child.stderr.on("data", (text) => {
    complaint += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const code = await Promise.race([once(child.stdout, "data").then(() => "held" as const), ended]).catch(
    (error: Error) => {
      throw new Error(`Cannot lock ${path}: ${error.message}. flock comes with the package util-linux.`);
    },
  );
  if (code === TAKEN) return undefined;
  if (code !== "held")
    throw new Error(`Cannot lock ${path}: flock ended with code ${code}. ${complaint.trim()}`);
  return {
    async release() {
      child.stdin.end();
      await ended;
    },
  };
}
