import { execa } from "execa";
import { readKeys } from "./keys-file.ts";
import type { Target } from "./target.ts";

/**
 * The stack's token for Vault where a step cannot be given it as input, because it has to run before the step that
 * answers with it: from this machine's journal, else from the stack's state as the last update left it. Reading the
 * state takes no lock of it. undefined where neither has one.
 */
export async function stackToken({ stack, stackDir }: Pick<Target, "stack" | "stackDir">) {
  const keys = await readKeys(stackDir);
  const held = keys?.answer?.rootToken ?? keys?.token;
  if (held !== undefined) return held;
  const args = ["stack", "output", "rootToken", "--show-secrets", "--stack", stack, "--non-interactive"];
  const { failed, stdout } = await execa("pulumi", args, { reject: false, stdin: "ignore" });
  return failed || stdout.trim() === "" ? undefined : stdout.trim();
}
