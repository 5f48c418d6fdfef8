import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface TiedChild {
  command: string;
  args: readonly string[];
  /** What it reads on stdin. */
  input: string;
  env: NodeJS.ProcessEnv;
  /** Called with each line of its stdout and stderr. */
  line(text: string): void;
  /** Ends it, and all that it started. */
  signal: AbortSignal;
}

/**
 * The program runs beside a `cat` on a pipe whose other end the step holds. The pipe ends with the step, however
 * the step ends, and then the whole group is told to end. Without it, a step that is killed leaves its program
 * behind, at work on what the next run makes under the same names.
 */
const tied = `"$@" <&3 3<&- 4<&- &
child=$!
{ cat <&4; kill -TERM 0; } >/dev/null 2>&1 3<&- &
exec 3<&- 4<&-
wait "$child"`;

/** Runs a program that ends with this process, even if this one is killed. Gives its exit code (null: ended by a signal). */
export async function runTied({
  command,
  args,
  input,
  env,
  line,
  signal,
}: TiedChild): Promise<number | null> {
  signal.throwIfAborted();
  const child = spawn("sh", ["-c", tied, "sh", command, ...args], {
    env,
    // A group of its own: `kill 0` reaches it alone, and a Ctrl-C of the terminal reaches only the step.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  const [, stdout, stderr, stdin, tie] = child.stdio as [null, Readable, Readable, Writable, Writable];
  for (const pipe of [stdin, tie]) pipe.on("error", () => {});
  for (const output of [stdout, stderr]) createInterface(output).on("line", line);
  const untie = () => tie.destroy();
  signal.addEventListener("abort", untie, { once: true });
  stdin.end(input);
  const closed = once(child, "close");
  // "close" comes only when the `cat`, too, has let go of its pipe.
  child.once("exit", untie);
  const [code] = (await closed) as [number | null];
  signal.removeEventListener("abort", untie);
  return code;
}
