/** The stages of `npm test`: what each runs, and what came of it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { checkout } from "../../setup/folders.ts";
import { whyLeftOut } from "./left-out.ts";

/** Stages in the order they run: what takes least time comes first. */
export const stageNames = ["check", "unit", "setup", "plugins", "vault", "cluster", "stacks"] as const;
/** What takes long, and runs only where it is named: its results are written down in the documents. */
export const soakName = "soak";
export type StageName = (typeof stageNames)[number] | typeof soakName;

/** A stage that takes longer hangs. */
const limitMinutes: Record<StageName, number> = {
  check: 5,
  unit: 10,
  setup: 15,
  plugins: 15,
  vault: 30,
  cluster: 40,
  stacks: 40,
  soak: 60,
};

/** How many files of a stage run beside each other. Those with Vault processes of their own mostly wait. */
const jobs: Partial<Record<StageName, number>> = { vault: 3 };

/** What came of a stage. */
export interface Outcome {
  passed: number;
  failed: number;
  /** One line for each thing that a number does not explain. */
  remarks: string[];
}

/** How a stage is run; the defaults are the real tests. */
export interface StageOptions {
  env: NodeJS.ProcessEnv;
  /** Ends what runs. */
  signal: AbortSignal;
  /** Whether its output is shown at its end, as another stage shows its own meanwhile. */
  beside?: boolean;
  /** Files of tests, where they are not those of the stage. */
  files?: string;
  limitMs?: number;
}

/** Stages in the order they run. Those of one group run beside each other: clusters mostly wait. */
export function inGroups(names: readonly StageName[]): StageName[][] {
  const beside = names.includes("cluster") && names.includes("stacks");
  return names
    .filter((name) => !(beside && name === "stacks"))
    .map((name) => (beside && name === "cluster" ? [name, "stacks"] : [name]));
}

/** Runs one stage; its output is shown as it comes, unless it runs beside another. */
export async function runStage(name: StageName, options: StageOptions): Promise<Outcome> {
  return name === "check" ? await runChecks(options) : await runMocha(name, options);
}

/** Formatter, linter and compiler: each counts as one test. */
async function runChecks(options: StageOptions): Promise<Outcome> {
  const commands = [
    ["biome", "check", "."],
    ["tsc", "--noEmit"],
  ];
  const outcome: Outcome = { passed: 0, failed: 0, remarks: [] };
  for (const [program = "", ...args] of commands) {
    const end = await run(join(checkout, "node_modules/.bin", program), args, "check", options);
    console.log(`  ${end ? "✗" : "✔"} ${program} ${args.join(" ")}`);
    if (end) outcome.remarks.push(`${program} ${end}`);
    outcome[end ? "failed" : "passed"]++;
  }
  return outcome;
}

const reportSchema = z.object({
  passed: z.number(),
  failed: z.number(),
  failures: z.array(z.string()),
  pending: z.array(z.string()),
  total: z.number(),
});

async function runMocha(name: StageName, options: StageOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-report-"));
  const file = join(folder, "report.json");
  try {
    const mocha = join(checkout, "node_modules/mocha/bin/mocha.js");
    const reporter = join(checkout, "test/support/reporter.ts");
    const files = options.files ?? `test/${name}/**/*.test.ts`;
    const part = options.beside ? { VAULT_HA_TEST_PART: "1" } : {};
    const env = { ...options.env, ...part, VAULT_HA_TEST_REPORT: file };
    const beside = jobs[name] === undefined ? [] : ["--parallel", "--jobs", String(jobs[name])];
    const args = [mocha, "--reporter", reporter, ...beside, files];
    const end = await run(process.execPath, args, name, { ...options, env });
    const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
    return judge(end, report, options.signal.aborted);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What a mocha run amounts to. No report, an exit code that its numbers do not explain, and no test at all
 * are failures; so is a test that did not run, unless it is one that has to be left out here (left-out.ts).
 */
function judge(end: string | undefined, report: unknown, stopped: boolean): Outcome {
  const read = reportSchema.safeParse(report);
  const cut = stopped ? ["stopped before its end"] : [];
  if (!read.success)
    return { passed: 0, failed: 1, remarks: [`mocha ${end ?? "ended"} without a report`, ...cut] };
  const { passed, failures, pending, total } = read.data;
  let { failed } = read.data;
  const remarks = failures.map((failure) => `failed: ${failure}`);
  for (const title of pending) {
    const why = whyLeftOut(title);
    remarks.push(`${why ? `left out, as ${why}` : "not run, which counts as failed"}: ${title}`);
    if (!why) failed++;
  }
  const unrun = total - passed - pending.length;
  if (stopped) {
    failed++;
    remarks.push(...cut);
  } else if (failed === 0 && unrun > 0) {
    failed += unrun;
    remarks.push(`${unrun} ${unrun === 1 ? "test" : "tests"} did not run, though none failed`);
  }
  if (failed === 0 && end) {
    failed++;
    remarks.push(`mocha ${end}, though no test failed`);
  }
  if (passed + failed === 0) {
    failed++;
    remarks.push("there was no test");
  }
  return { passed, failed, remarks };
}

/** Runs a program with its output shown; undefined for exit code 0, else how it ended. */
async function run(program: string, args: string[], stage: StageName, options: StageOptions) {
  const limitMs = options.limitMs ?? limitMinutes[stage] * 60_000;
  // In a process group of its own: it gets Ctrl-C from us, once, and can clean up.
  const child = spawn(program, args, {
    cwd: checkout,
    env: options.env,
    detached: true,
    stdio: ["ignore", ...(options.beside ? (["pipe", "pipe"] as const) : (["inherit", "inherit"] as const))],
  });
  const kept: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output?.on("data", (data) => kept.push(data));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, limitMs);
  const interrupt = () => child.kill("SIGINT");
  options.signal.addEventListener("abort", interrupt);
  const end = await new Promise<string | undefined>((ended) => {
    child.once("error", (error) => ended(`could not be started: ${error.message}`));
    child.once("close", (code, signal) =>
      ended(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`),
    );
  });
  process.stdout.write(Buffer.concat(kept));
  clearTimeout(timer);
  options.signal.removeEventListener("abort", interrupt);
  // What ran beside others has had no time to end what it had started.
  if (options.signal.aborted) endGroup(child.pid);
  return late ? `was ended after ${limitMs / 60_000} minutes` : end;
}

/** Ends what is left of a process group, as Vault servers whose test was ended. */
function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
