import { execa } from "execa";
import type { Log } from "./part.ts";

export interface RunOptions {
  /** Folder the command runs in. */
  cwd?: string;
  /** Variables added to this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Text for the command's standard input. Without it, it has none. */
  input?: string;
  /** Limit in seconds; none by default. */
  timeoutSeconds?: number;
  /** Ends the command when it fires. */
  signal?: AbortSignal;
}

/** How many of the last lines of output an error shows. */
const SHOWN_LINES = 15;

/**
 * Runs a command to its end and gives what it wrote to standard output, without the last line break.
 * Both outputs go to the log as they come. Throws an Error that names the command, what it ended with,
 * its last lines and the log. Never pass a secret: arguments are logged.
 */
export async function run(
  log: Log,
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<string> {
  log.write(`$ ${[command, ...args].join(" ")}\n`);
  const result = await execa(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    timeout: (options.timeoutSeconds ?? 0) * 1000,
    stdout: ["pipe", { file: log.path, append: true }],
    stderr: ["pipe", { file: log.path, append: true }],
    all: true,
    maxBuffer: 200_000_000,
    reject: false,
  });
  if (!result.failed) return result.stdout;
  const last = (result.all ?? "").trimEnd().split("\n").slice(-SHOWN_LINES).join("\n  ");
  throw new Error(
    `${[command, ...args].join(" ")}\n${ending(result, options)}${last ? `\n  ${last}` : ""}\nWhole output: ${log.path}`,
  );
}

function ending(
  result: {
    exitCode?: number | undefined;
    signal?: string | undefined;
    timedOut: boolean;
    isCanceled: boolean;
    code?: string | undefined;
  },
  options: RunOptions,
): string {
  if (result.timedOut) return `did not end within ${options.timeoutSeconds} s.`;
  if (result.isCanceled) return "was stopped.";
  if (result.code === "ENOENT") return "cannot be started: no such program on PATH.";
  if (result.signal) return `was ended by ${result.signal}.`;
  return `ended with code ${result.exitCode ?? "unknown"}${result.code ? ` (${result.code})` : ""}.`;
}
