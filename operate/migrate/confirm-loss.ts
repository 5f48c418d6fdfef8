import { createInterface } from "node:readline/promises";
import { CommandError } from "../../setup/command.ts";

/**
 * Has somebody who has read what is lost name the stack: by a flag, or at a terminal.
 * @throws CommandError where the name is another one, or nobody can be asked
 */
export async function confirmLoss(
  stack: string,
  named: string | true | undefined,
  command: string,
): Promise<void> {
  const asks = process.stdin.isTTY && process.stderr.isTTY;
  const given = named ?? (asks ? await ask(stack) : undefined);
  if (given === stack) return;
  const found = given === undefined ? "" : ` "${given}" is another name.`;
  throw new CommandError(
    `The data is deleted for good, so the stack has to be named.${found} Nothing was changed.\n  ${command} --begin-anew --confirm ${stack}`,
  );
}

async function ask(stack: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`To delete all of it, type ${stack}: `)).trim();
  } finally {
    terminal.close();
  }
}
