import { createInterface } from "node:readline/promises";
import { CommandError } from "../../setup/command.ts";
import type { Resource } from "../../setup/stack.ts";

/** Whether Pulumi protects any of a stack's resources (teardown.protected). */
export function isProtected(resources: Resource[]): boolean {
  return resources.some((resource) => resource.protect === true);
}

/**
 * Has somebody name the stack that is to be destroyed: by a flag, or on a terminal.
 * @param named the flag's value
 * @throws CommandError where the name is another one, or nobody can be asked
 */
export async function confirmName(stack: string, named: string | undefined): Promise<void> {
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
  const given = named ?? (isTerminal ? await ask(stack) : undefined);
  if (given === stack) return;
  const found = given === undefined ? "" : ` "${given}" is another name.`;
  throw new CommandError(
    `Stack ${stack} is protected (teardown.protected), so it has to be named to be destroyed.${found} Nothing was destroyed.\n` +
      `  npm run down -- --stack ${stack} --confirm ${stack}`,
  );
}

async function ask(stack: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(`Stack ${stack} is protected. To destroy it, type its name: `)).trim();
  } finally {
    terminal.close();
  }
}
