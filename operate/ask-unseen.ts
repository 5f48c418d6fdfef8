/** Asks somebody at a terminal for what is secret, without showing what is typed. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CommandError } from "../setup/command.ts";

/**
 * Works with a function that asks one question and gives what was typed, without spaces around it.
 * @throws CommandError where it is left (Ctrl-C, Ctrl-D)
 */
export async function askUnseen<T>(
  work: (ask: (question: string) => Promise<string>) => Promise<T>,
  input: NodeJS.ReadableStream = process.stdin,
  output: { write(text: string): unknown } = process.stderr,
): Promise<T> {
  // What readline would show of each key that is pressed.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: unseen, terminal: true, historySize: 0 });
  lines.on("SIGINT", () => lines.close());
  // Keeps the lines that come before they are asked for: somebody may paste all at once.
  const typed = lines[Symbol.asyncIterator]();
  try {
    return await work(async (question) => {
      output.write(question);
      const { value, done } = await typed.next();
      output.write("\n");
      if (done) throw new CommandError("Stopped. Nothing was changed.", 130);
      return value.trim();
    });
  } finally {
    lines.close();
  }
}
