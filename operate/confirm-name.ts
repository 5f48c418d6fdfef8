import { createInterface } from "node:readline/promises";
import { CommandError } from "../setup/command.ts";

/** What somebody is to be sure of. */
export interface Asked {
  /** Why it is asked, a sentence: "Stack prod is protected (teardown.protected)." */
  because: string;
  /** What naming it does, as in "To destroy it". */
  to: string;
  /** What is said where it is not named: "Nothing was destroyed." */
  undone: string;
  /** The command that names it. */
  command: string;
}

/**
 * Has somebody name the stack about to lose something: by a flag, or on a terminal.
 * @param named the flag's value
 * @throws CommandError where the name is another one, or nobody can be asked
 */
export async function confirmName(stack: string, named: string | undefined, asked: Asked): Promise<void> {
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
  const given =
    named ?? (isTerminal ? await ask(`${asked.because} ${asked.to}, type its name: `) : undefined);
  if (given === stack) return;
  const found = given === undefined ? "" : ` "${given}" is another name.`;
  throw new CommandError(`${asked.because} It has to be named.${found} ${asked.undone}\n  ${asked.command}`);
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}
