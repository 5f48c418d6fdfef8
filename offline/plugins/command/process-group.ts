import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";

/** How long, in ms, a group has to end by itself after TERM. */
const grace = 5_000;
/** How often, in ms, a group is looked at. */
const every = 25;

/** What a command prints on. */
export const streams = ["stdout", "stderr"] as const;

/** How a command ended. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running command with all that it starts. */
export interface CommandGroup {
  stdout: Readable;
  stderr: Readable;
  /** When the command has ended and nobody holds its streams any more. */
  ended: Promise<End>;
  /** Ends every process of the group: TERM, and KILL for what is left after the grace. Resolves when it is done. */
  end(): Promise<void>;
}

const running = new Set<number>();
// Whatever ends this process, it takes along what it still runs.
process.once("exit", () => {
  for (const group of running) signal(group, "SIGKILL");
});

/**
 * Starts a command in a process group of its own.
 *
 * @param at.dir    undefined = this process' own folder, which is the program's.
 * @param at.stdin  undefined or empty = nothing to read.
 * @throws the system's error when it cannot be started.
 */
export async function startGroup(
  [program = "", ...args]: string[],
  at: { dir: string | undefined; env: NodeJS.ProcessEnv; stdin: string | undefined },
): Promise<CommandGroup> {
  const child = spawn(program, args, {
    cwd: at.dir ?? process.cwd(),
    env: at.env,
    stdio: [at.stdin ? "pipe" : "ignore", "pipe", "pipe"],
    detached: true,
  });
  const { stdout, stderr } = child;
  const ended = once(child, "close").then(([code, signal]): End => ({ code, signal }));
  // Where it cannot start, the error below says so.
  ended.catch(() => {});
  await once(child, "spawn");
  const group = child.pid;
  if (group === undefined || !stdout || !stderr) throw new Error(`${program} has started without a process`);
  running.add(group);
  // A command that does not read its stdin is no error.
  child.stdin?.on("error", () => {}).end(at.stdin);

  let ending = false;
  return {
    stdout,
    stderr,
    // What a command that ended well left in the background may stay, as with the official plug-in.
    ended: ended.finally(() => ending || running.delete(group)),
    end: async () => {
      ending = true;
      await endGroup(group);
      // A process that left the group may hold the streams open: nobody waits for it.
      for (const stream of [stdout, stderr]) stream.destroy();
      running.delete(group);
    },
  };
}

async function endGroup(group: number): Promise<void> {
  const deadline = Date.now() + grace;
  signal(group, "SIGTERM");
  while (signal(group, 0) && Date.now() < deadline) await setTimeout(every);
  signal(group, "SIGKILL");
}

/** False when no process of the group is left. */
function signal(group: number, what: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, what);
  } catch (error) {
    // EPERM: the group is there and belongs to somebody else (a command that changed its user).
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
