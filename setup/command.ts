import { onInterrupt } from "./interrupt.ts";

/** The flag that forces a way; for every command that sets up. */
export const networkFlag = {
  network: {
    says: "closed: build from package registries; official: download; auto: try (or VAULT_HA_NETWORK)",
    value: "way",
    choices: ["auto", "official", "closed"],
  },
} as const;

/** Ends a command with this exit code, after these words. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command's work: an error ends it with its message (no stack: what went wrong is in the words)
 * and its exit code. Ctrl-C ends it at once with 130, unless the work handles that by itself (`stops`).
 */
export async function runCommand(name: string, work: () => Promise<void>, { stops = false } = {}) {
  const release = stops ? () => {} : endOnInterrupt(name);
  try {
    await work();
    release();
  } catch (error) {
    console.error(`\n${(error as Error).message}`);
    if (process.env.VAULT_HA_DEBUG) console.error(error);
    process.exit(error instanceof CommandError ? error.exitCode : 1);
  }
}

/** Ends this process when the user asks: what was being brought begins anew at that part next time. */
export function endOnInterrupt(name: string): () => void {
  return onInterrupt((_, signal) => {
    console.error(`\nStopped. ${name} continues where it stopped.`);
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}
