/** Runs `pulumi preview`. */
import { execa } from "execa";
import { CommandError } from "../../setup/command.ts";
import { checkout } from "../../setup/folders.ts";
import { pulumi, stackArguments } from "../../setup/pulumi.ts";
import type { Stack } from "../../setup/stack.ts";
import { type Preview, readPreview } from "./change.ts";

/** What Pulumi itself shows of a preview, without colours; `failed` where it could not be made. */
export interface PulumiWords {
  text: string;
  failed: boolean;
}

/** Shows Pulumi's own diff on standard error, as people know it, and keeps it. */
export async function showPreview({ env, name }: Stack, flags: string[]): Promise<PulumiWords> {
  const args = stackArguments("preview", name, ...flags, "--diff", "--non-interactive", "--color", "never");
  const run = execa("pulumi", args, { cwd: checkout, env, reject: false, all: true, stdin: "ignore" });
  run.all.pipe(process.stderr, { end: false });
  const { all, failed } = await run;
  return { text: all, failed };
}

/**
 * The same preview as data. Not Pulumi's log of events (--event-log), which has secrets in it as plain text: those of
 * its debugging lines. @throws CommandError with Pulumi's words
 */
export async function previewData({ env, name }: Stack, flags: string[] = []): Promise<Preview> {
  const text = await pulumi(env, stackArguments("preview", name, ...flags, "--json")).catch(
    (error: Error) => {
      throw new CommandError(error.message);
    },
  );
  return readPreview(text);
}
