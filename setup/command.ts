import { StepError } from "../steps/lib/errors.ts";
import { onInterrupt } from "./interrupt.ts";

/** The flag that forces a way; for every command that sets up. */
export const networkFlag = {
  network: {
    says: "closed: build from package registries; official: download; auto: try (or VAULT_HA_NETWORK)",
    value: "way",
    choices: ["auto", "official", "closed"],
  },
} as const;

/** Ends a command with this exit code, after these words; without one, with the command's own code for a failure. */
export class CommandError extends Error {
  readonly exitCode: number | undefined;
  constructor(message: string, exitCode?: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Exit code of a command whose other codes tell what it saw, where it could not look: Nagios' UNKNOWN, which is for
 * wrong usage, too (https://nagios-plugins.org/doc/guidelines.html).
 */
export const lookFailed = 3;

/**
 * Runs a command's work: an error ends it with its message (no stack: what went wrong is in the words), the next
 * command to type where it names one, and its exit code (`failed` where it names none). Ctrl-C ends it at once with 130, unless the work handles that by
 * itself (`stops`).
 */
export async function runCommand(
  name: string,
  work: () => Promise<void>,
  { stops = false, failed = 1 } = {},
) {
  const release = stops ? () => {} : endOnInterrupt(name);
  try {
    await work();
    release();
  } catch (error) {
    console.error(`\n${(error as Error).message}`);
    if (error instanceof StepError && error.next !== undefined) console.error(`Next: ${error.next}`);
    if (process.env.VAULT_HA_DEBUG) console.error(error);
    process.exit((error instanceof CommandError && error.exitCode) || failed);
  }
}

/** Prints the whole text, also into a pipe, and ends the process: no connection that hangs holds it up. */
export async function printAndExit(text: string, exitCode: number): Promise<never> {
  await new Promise((printed) => process.stdout.write(text, printed));
  process.exit(exitCode);
}

/**
 * Stops a work that cleans up after itself when the user asks: its signal aborts, with an error of exit code 130. A
 * second time ends this process at once. Both say their words.
 */
export function stopOnInterrupt({ stopping, left }: { stopping: string; left: string }): AbortController {
  const stop = new AbortController();
  onInterrupt((times) => {
    if (times > 1) {
      console.error(left);
      process.exit(130);
    }
    console.error(`\nStopping: ${stopping} Once more leaves at once.`);
    stop.abort(new CommandError("Stopped.", 130));
  });
  return stop;
}

/**
 * Puts off the user's wish to stop while something is done that must not be cut in two.
 * @param next the command that goes on
 * @returns a function that ends that; it throws where somebody asked meanwhile
 */
export function holdInterrupt(next: string): () => void {
  let asked = false;
  const release = onInterrupt(() => {
    asked = true;
    console.error("\nStopping as soon as nothing is half done.");
  });
  return () => {
    release();
    if (asked) throw new CommandError(`Stopped. To go on: ${next}`, 130);
  };
}

/** Ends this process when the user asks: what was being brought begins anew at that part next time. */
export function endOnInterrupt(name: string): () => void {
  return onInterrupt((_, signal) => {
    console.error(`\nStopped. ${name} continues where it stopped.`);
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}
