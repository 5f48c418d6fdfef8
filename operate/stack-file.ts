import { type Settings, settingsOf } from "../config.ts";
import { stackTexts } from "./stack-texts.ts";

/** A stack's settings as its file has them, and whether there is such a file; without one, the defaults. */
export interface StackFile {
  settings: Settings;
  exists: boolean;
}

/**
 * Reads Pulumi.<stack>.yaml without Pulumi, so also before the tools are there. Throws one error that lists
 * every problem.
 */
export function readStackFile(stack: string, folder?: string): StackFile {
  const texts = stackTexts(stack, folder);
  return { settings: settingsOf(stack, texts ?? {}), exists: texts !== undefined };
}

/** How long holders are waited for, in seconds: people take as long as an update would wait for them, or `usual`. */
export function holdersSeconds(stack: string, usual: number): number {
  return Math.max(usual, readStackFile(stack).settings.timeouts.stepSeconds);
}
