import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { family } from "./process-family.ts";

const root = join(import.meta.dirname, "../..");

/** What a step did, as a process. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
  /** stdout as JSON; fails where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: each step has its own answer, and tests compare it
  answer: any;
  seconds: number;
  /** Its command line and environment, read from /proc while it ran. */
  seen: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** Closes its stdout and stderr at once, as when Pulumi was killed. */
  unheard?: boolean;
  /** Called when it has started; for tests that end or disturb it. */
  started?: (child: {
    pid: number;
    kill(signal: NodeJS.Signals): void;
    stderr(): string;
  }) => void | Promise<void>;
}

/** Runs a step as Pulumi does: `node steps/<name>.ts`, its input on stdin. */
export async function runStep(name: string, input: unknown, options: RunOptions = {}): Promise<Ran> {
  const began = Date.now();
  const child = spawn(process.execPath, [`steps/${name}.ts`], {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  if (options.unheard) for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
  child.stdin.on("error", () => {});
  child.stdin.end(typeof input === "string" ? input : JSON.stringify(input));
  const closed = once(child, "close");
  const pid = child.pid ?? 0;
  const seen = watch(pid, () => child.exitCode !== null || child.signalCode !== null);
  await options.started?.({
    pid,
    kill: (signal) => void child.kill(signal),
    stderr: () => Buffer.concat(err).toString(),
  });
  await closed;
  const stdout = Buffer.concat(out).toString();
  return {
    code: child.exitCode,
    stdout,
    stderr: Buffer.concat(err).toString(),
    get answer() {
      return JSON.parse(stdout);
    },
    seconds: (Date.now() - began) / 1000,
    seen: await seen,
  };
}

/** What `ps` could show of a process and of those that it started, collected while it runs. */
async function watch(pid: number, ended: () => boolean): Promise<string> {
  const seen = new Set<string>();
  while (!ended()) {
    for (const id of await family(pid)) {
      for (const file of ["cmdline", "environ"]) {
        const content = await readFile(`/proc/${id}/${file}`, "utf8").catch(() => "");
        if (content !== "") seen.add(content);
      }
    }
    await sleep(20);
  }
  return [...seen].join("\n");
}
