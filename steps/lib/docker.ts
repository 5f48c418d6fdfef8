import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { StepError } from "./errors.ts";

const run = promisify(execFile);

/** The longest that one docker command may take, in milliseconds. Removing four nodes takes up to 15 s. */
const commandMs = 120_000;

/**
 * Runs one docker command and gives its stdout.
 * @throws DockerError with docker's own words
 */
export async function docker(...args: string[]): Promise<string> {
  try {
    const { stdout } = await run("docker", args, { timeout: commandMs, maxBuffer: 16 * 1024 * 1024 });
    return stdout.trim();
  } catch (error) {
    throw new DockerError(args, error);
  }
}

/** Lines of a docker command's output. */
export async function dockerLines(...args: string[]): Promise<string[]> {
  return (await docker(...args)).split("\n").filter((line) => line !== "");
}

/** A docker command that failed, in docker's own words. */
export class DockerError extends StepError {
  constructor(args: readonly string[], error: unknown) {
    const { stderr = "", code, killed } = error as { stderr?: string; code?: unknown; killed?: boolean };
    const said = stderr.trim() || (killed ? `no answer within ${commandMs / 1000} s` : undefined);
    const missing = code === "ENOENT" ? "docker is not on PATH" : undefined;
    super(
      `docker ${args.slice(0, 2).join(" ")} failed: ${missing ?? said ?? `exit code ${code}`}`,
      "docker info",
    );
    this.name = "DockerError";
  }

  /** Whether docker says that what was named does not exist. */
  get missing(): boolean {
    return /no such|not found/i.test(this.message);
  }
}
