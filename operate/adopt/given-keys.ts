import { text } from "node:stream/consumers";
import { z } from "zod";
import { CommandError } from "../../setup/command.ts";

/** What `vault operator init -format=json` prints, of which this is used. */
const Printed = z.object({
  unseal_keys_b64: z.array(z.string().min(1)).min(1),
  unseal_threshold: z.number().int().positive(),
  root_token: z.string().optional(),
});

/** Keys that somebody hands over. */
export interface GivenKeys {
  /** Base64, at least as many as the threshold. */
  shares: string[];
  threshold: number;
  /** The token of the initialisation; absent where nobody has it any more. */
  rootToken: string | undefined;
}

/**
 * Reads the keys from standard input, where no list of processes and no history of a shell has them.
 * @throws CommandError that never quotes what was given
 */
export async function readGivenKeys(command: string): Promise<GivenKeys> {
  const usage = `${command} < cluster-keys.json   (what vault operator init -format=json printed; readable by you alone)`;
  if (process.stdin.isTTY)
    throw new CommandError(
      `The shares are read from standard input, once. Nothing was changed.\n  ${usage}`,
      2,
    );
  return parseKeys(await text(process.stdin), usage);
}

/** @throws CommandError that never quotes what was given */
export function parseKeys(given: string, usage: string): GivenKeys {
  let json: unknown;
  try {
    json = JSON.parse(given);
  } catch {
    throw new CommandError(
      `What came on standard input is not JSON (${given.length} characters).\n  ${usage}`,
      2,
    );
  }
  const read = Printed.safeParse(json);
  if (!read.success) {
    const wrong = read.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
    throw new CommandError(
      `The keys on standard input cannot be used.\n  ${wrong.join("\n  ")}\n  ${usage}`,
      2,
    );
  }
  const { unseal_keys_b64: shares, unseal_threshold: threshold, root_token } = read.data;
  if (shares.length < threshold)
    throw new CommandError(
      `${shares.length} shares came on standard input, and ${threshold} are needed (unseal_threshold).\n  ${usage}`,
      2,
    );
  return { shares, threshold, rootToken: root_token || undefined };
}
