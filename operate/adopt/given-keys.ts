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
  /** Base64 or hexadecimal. */
  shares: string[];
  /** undefined where only Vault itself says it. */
  threshold: number | undefined;
  /** The token of the initialisation, or another that is good; absent where nobody has one any more. */
  rootToken: string | undefined;
}

/** How the keys are handed over, for the end of a message. */
export const keysUsage = (command: string) =>
  `${command} < cluster-keys.json   (what vault operator init -format=json printed, or one share a line; readable by you alone)`;

/**
 * Reads keys that came on standard input: what `vault operator init -format=json` printed, or one share a line and,
 * where there is one, a token on a line of its own.
 * @throws CommandError that never quotes what was given
 */
export function parseKeys(given: string, usage: string): GivenKeys {
  return given.trimStart().startsWith("{") ? parsePrinted(given, usage) : parseLines(given, usage);
}

function parsePrinted(given: string, usage: string): GivenKeys {
  let json: unknown;
  try {
    json = JSON.parse(given);
  } catch {
    // JSON.parse's own message quotes the text.
    throw refusal(["it begins as JSON does, and is none"], usage);
  }
  const read = Printed.safeParse(json);
  if (!read.success)
    throw refusal(
      read.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`),
      usage,
    );
  const { unseal_keys_b64: shares, unseal_threshold: threshold, root_token } = read.data;
  return { shares, threshold, rootToken: root_token || undefined };
}

/** Vault's tokens begin so: https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes */
const token = /^(hvs|s)\.\S+$/;
const share = /^([A-Za-z0-9+/]+={0,2}|[0-9a-fA-F]+)$/;

function parseLines(given: string, usage: string): GivenKeys {
  const lines = given.split("\n").map((line) => line.trim());
  const tokens = lines.filter((line) => token.test(line));
  const shares = lines.filter((line) => share.test(line));
  const problems = lines.flatMap((line, at) =>
    line === "" || token.test(line) || share.test(line)
      ? []
      : [`line ${at + 1} is neither a share nor a token`],
  );
  if (tokens.length > 1) problems.push(`there are ${tokens.length} tokens in it`);
  if (shares.length === 0) problems.push("there is no share in it");
  if (problems.length > 0) throw refusal(problems, usage);
  return { shares, threshold: undefined, rootToken: tokens[0] };
}

const refusal = (problems: string[], usage: string) =>
  new CommandError(
    `The keys on standard input cannot be used. Nothing was changed.\n  ${problems.join("\n  ")}\n  ${usage}`,
    2,
  );

/** What is wrong with the keys at a Vault that wants so many shares; undefined where nothing is. */
export function keysProblem({ shares, threshold }: GivenKeys, wanted: number): string | undefined {
  if (threshold !== undefined && threshold !== wanted)
    return `Vault wants ${wanted} shares to unseal, and the keys on standard input say ${threshold} (unseal_threshold): are they of another Vault?`;
  if (new Set(shares).size < wanted)
    return `${new Set(shares).size} shares came on standard input, and Vault wants ${wanted}.`;
  return undefined;
}
