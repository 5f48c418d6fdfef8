/** Asks somebody at a terminal for the keys, without showing what is typed. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CommandError } from "../../setup/command.ts";
import type { GivenKeys } from "./given-keys.ts";

/**
 * Asks for so many shares as unseal the Vault, and for a token.
 * @throws CommandError where it is left (Ctrl-C, Ctrl-D)
 */
export async function askKeys(
  threshold: number,
  input: NodeJS.ReadableStream = process.stdin,
  output: { write(text: string): unknown } = process.stderr,
): Promise<GivenKeys> {
  // What readline would show of each key that is pressed.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: unseen, terminal: true, historySize: 0 });
  lines.on("SIGINT", () => lines.close());
  // Keeps the lines that come before they are asked for: somebody may paste all at once.
  const typed = lines[Symbol.asyncIterator]();
  const ask = async (question: string) => {
    output.write(question);
    const { value, done } = await typed.next();
    output.write("\n");
    if (done) throw new CommandError("Stopped. Nothing was changed.", 130);
    return value.trim();
  };
  try {
    const shares: string[] = [];
    while (shares.length < threshold) {
      const share = await ask(`Share ${shares.length + 1} of ${threshold} (it is not shown): `);
      if (share !== "") shares.push(share);
    }
    const token = await ask("Root token, if there is one that is good (else Enter): ");
    return { shares, threshold: undefined, rootToken: token || undefined };
  } finally {
    lines.close();
  }
}
