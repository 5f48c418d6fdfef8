import { spawn } from "node:child_process";
import { constants } from "node:os";
import { execa } from "execa";
import { CommandError } from "./command.ts";
import type { Environment } from "./environment.ts";
import { checkout } from "./folders.ts";
import { onInterrupt } from "./interrupt.ts";

/** Runs a short pulumi command and gives its standard output; throws with what it said. */
export async function pulumi(env: Environment, args: string[], input?: string): Promise<string> {
  const { stdout, stderr, failed } = await execa("pulumi", [...args, "--non-interactive"], {
    cwd: checkout,
    env,
    reject: false,
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  });
  if (failed) throw new Error(`pulumi ${args.join(" ")}\n${(stderr ?? "").trim()}`);
  return stdout ?? "";
}

/** What Pulumi holds a stack against; run in the checkout (docs/policy.md). */
const policyPack = ["--policy-pack", "policy"];

/** The arguments of a command that runs the whole program. What every such command is to be given belongs here. */
export function stackArguments(command: "preview" | "up", stack: string, ...more: string[]): string[] {
  return [command, ...policyPack, ...more, "--stack", stack];
}

/**
 * Runs a long pulumi command that shows its own progress. Ctrl-C reaches it once, however often the
 * signal arrives here; it then ends the steps that run, and a second Ctrl-C makes it leave them. Throws a
 * CommandError, after `again` (what to type to go on) where it was stopped.
 */
export async function pulumiShown(env: Environment, args: string[], again: string): Promise<void> {
  // In a process group of its own: the terminal's Ctrl-C comes to us alone, and we hand it on.
  const child = spawn("pulumi", args, {
    cwd: checkout,
    env: { ...process.env, ...env },
    detached: true,
    // To the terminal it shows a live view. Progress is no answer: what it says goes to standard error.
    stdio: [process.stdin.isTTY && process.stderr.isTTY ? "inherit" : "ignore", 2, 2],
  });
  let stops = 0;
  const release = onInterrupt((times) => {
    stops = times;
    const words = ["Stopping: pulumi ends the steps that run. Once more leaves them as they are."];
    console.error(`\n${words[times - 1] ?? "Leaving at once."}`);
    child.kill("SIGINT");
  });
  const code = await new Promise<number>((ended, failed) => {
    child.once("error", failed);
    child.once("close", (exit, signal) => ended(exit ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(release);
  if (code === 0) return;
  if (stops > 0) throw new CommandError(`Stopped; nothing is lost. ${again}`, 130);
  throw new CommandError(`pulumi ${args[0]} ended with code ${code}; its words are above.\n${again}`);
}
