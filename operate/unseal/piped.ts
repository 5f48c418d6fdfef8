/** Shares that are piped into a command. */
import { text as readAll } from "node:stream/consumers";
import { CommandError } from "../../setup/command.ts";
import { parseKeys } from "../adopt/given-keys.ts";

/**
 * The shares of standard input, one after another.
 * @param usage how they are given, for the end of a message
 * @throws CommandError that never quotes what was given
 */
export async function pipedShares(usage: string): Promise<() => Promise<string | undefined>> {
  const text = await readAll(process.stdin);
  if (/BEGIN PGP MESSAGE/.test(text))
    throw new CommandError(
      `What came on standard input is encrypted. Its holder decrypts it first:\n  gpg --decrypt share.asc | ${usage}`,
      2,
    );
  const { shares } = parseKeys(text, `gpg --decrypt share.asc | ${usage}`);
  return async () => shares.shift();
}
