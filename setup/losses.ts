import { existsSync } from "node:fs";
import { keysPath } from "../steps/lib/keys-file.ts";
import { CommandError } from "./command.ts";
import { pulumi } from "./pulumi.ts";
import type { Stack } from "./stack.ts";

/** Resources that hold Vault's data. Where Pulumi replaces or deletes one of them, the data is gone. */
const holders = ["cluster-create", "vault-namespace", "vault-release"];

/**
 * Throws where an update would lose a Vault that this stack initialised. `npm run up` asks no question, so it must
 * not do what nobody who changes a number of replicas or a port expects.
 */
export async function refuseToLoseVault(stack: Stack): Promise<void> {
  if (!existsSync(keysPath(stack.dir))) return;
  // A program that does not run is not this look's affair: the update says what is wrong, and changes nothing.
  const text = await pulumi(stack.env, ["preview", "--json", "--stack", stack.name]).catch(() => undefined);
  const lost = text === undefined ? [] : losses(text);
  if (lost.length === 0) return;
  throw new CommandError(
    `This update would replace ${lost.join(", ")}, and Vault's data would be lost with it. Nothing was changed.\n` +
      `What causes it is in: pulumi preview --diff --stack ${stack.name}\n` +
      "Put that setting back. Or, to lose this Vault and its keys on purpose and make another:\n" +
      `  npm run down -- --stack ${stack.name} && npm run up -- --stack ${stack.name}`,
  );
}

/** Names of the data's holders that a preview (`pulumi preview --json`) replaces or deletes. */
export function losses(preview: string): string[] {
  const { steps = [] } = JSON.parse(preview) as { steps?: { op: string; urn: string }[] };
  const ended = steps.filter(({ op }) => /replace|delete/.test(op)).map(({ urn }) => urn.split("::").at(-1));
  return holders.filter((holder) => ended.includes(holder));
}
