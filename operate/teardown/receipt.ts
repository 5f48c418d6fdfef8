/** What is said at the end of a stack. */
import type { KeptSnapshots } from "./kept-snapshots.ts";

/** What became of a stack that was destroyed. Each line is a sentence's part, for people. */
export interface Receipt {
  stack: string;
  /** What was there and is no more. */
  gone: string[];
  /** What should have been there, and was gone before. */
  missing: string[];
  /** What is still there because the stack says so. */
  kept: string[];
  /** Whether Vault's keys are still needed, and why. */
  keys: { file: string; needed: boolean; because: string };
  /** The command that takes up again what was kept, or makes the stack anew. */
  again: string;
  /** The commands that remove what was kept. What they remove is lost for good. */
  remove: string[];
}

/** The receipt, with the snapshots that stay. */
export function withSnapshots(receipt: Receipt, { kept, remove }: KeptSnapshots): Receipt {
  return { ...receipt, kept: [...receipt.kept, ...kept], remove: [...receipt.remove, ...remove] };
}

/** The receipt as text. */
export function receiptText({ stack, gone, missing, kept, keys, again, remove }: Receipt): string {
  const part = (title: string, lines: string[]) =>
    lines.map((line, at) => `  ${(at === 0 ? title : "").padEnd(8)} ${line}`);
  return [
    "",
    `Stack ${stack} is destroyed.`,
    ...part("gone", gone),
    ...part("missing", missing),
    ...part("kept", kept.length > 0 ? kept : ["nothing"]),
    ...part("keys", [`${keys.needed ? "still needed" : "not needed any more"}: ${keys.because}`]),
    "",
    keys.needed ? "To take it up again, with its data:" : "To make it anew, without data:",
    `  ${again}`,
    ...(remove.length > 0
      ? [
          "",
          "To remove what was kept (Vault's data is lost for good then):",
          ...remove.map((line) => `  ${line}`),
        ]
      : []),
    "",
  ].join("\n");
}
