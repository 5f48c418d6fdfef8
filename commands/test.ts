// npm test: everything is brought as for `npm run up`, then every test runs, the fast ones first.
import { delimiter } from "node:path";
import { argumentsOrExit } from "../setup/arguments.ts";
import { endOnInterrupt, networkFlag } from "../setup/command.ts";
import { toolEnvironment } from "../setup/environment.ts";
import { onInterrupt } from "../setup/interrupt.ts";
import { duration, Progress } from "../setup/progress.ts";
import { readNetwork } from "../setup/reach.ts";
import { SETUP_STEPS, setUp } from "../setup/setup.ts";
import {
  inGroups,
  type Outcome,
  runStage,
  type StageName,
  type StageOptions,
  soakName,
  stageNames,
} from "../test/support/stages.ts";
import { sweepDeadRuns } from "../test/support/sweep.ts";
import { vaultFolder } from "../test/support/vault-program.ts";

const { flags, words } = argumentsOrExit({
  command: "npm test",
  says: "Sets up as npm run up does, then runs all tests but soak, or those of the stages named.\nThe last line says how many passed and failed.",
  flags: networkFlag,
  words: { name: "stage", says: "stages, in the order they run", choices: [...stageNames, soakName] },
});

const started = Date.now();
const all: readonly StageName[] = [...stageNames, soakName];
const chosen = all.filter((name) => (words.length === 0 ? name !== soakName : words.includes(name)));
const total: Outcome = { passed: 0, failed: 0, remarks: [] };

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  add("set-up", { passed: 0, failed: 1, remarks: ["the set-up failed, so no test ran"] });
}
finish();

async function main(): Promise<void> {
  console.log(`stages: ${chosen.join(", ")}`);
  const release = endOnInterrupt("npm test");
  const { tools } = await setUp(new Progress(SETUP_STEPS), readNetwork(flags.network));
  for (const line of await sweepDeadRuns()) console.log(line);
  release();
  const stop = new AbortController();
  onInterrupt((times) => {
    if (times > 1) process.exit(130);
    console.error("\nStopping: the stage that runs cleans up. Once more leaves at once.");
    stop.abort();
  });
  const env = { ...process.env, ...toolEnvironment(tools.plugins === "closed") };
  if (chosen.includes("vault") || chosen.includes(soakName))
    env.PATH = `${await vaultFolder()}${delimiter}${env.PATH}`;
  for (const [name, ...others] of inGroups(chosen)) {
    const options = { env, signal: stop.signal };
    const beside = others.map((other) => stage(other, { ...options, beside: true }));
    if (name !== undefined) await Promise.all([stage(name, options), ...beside]);
  }
}

async function stage(name: StageName, options: StageOptions): Promise<void> {
  if (options.signal.aborted) return add(name, { passed: 0, failed: 1, remarks: ["stopped before it ran"] });
  const began = Date.now();
  console.log(`\n== ${name}${options.beside ? ", beside the next: its output comes at its end" : ""}`);
  const outcome = await runStage(name, options);
  add(name, outcome);
  const { passed, failed } = outcome;
  console.log(`== ${name}: ${passed} passed, ${failed} failed, ${duration(Date.now() - began)}`);
}

function add(name: string, { passed, failed, remarks }: Outcome): void {
  total.passed += passed;
  total.failed += failed;
  total.remarks.push(...remarks.map((remark) => `${name}: ${remark}`));
}

function finish(): void {
  console.log("");
  for (const remark of total.remarks) console.log(remark);
  console.log(`${chosen.join(", ")}: ${duration(Date.now() - started)}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 ? 1 : 0;
  // A timer of a set-up that failed must not keep the last line from being the end.
  setImmediate(() => process.exit());
}
