/** mocha's spec reporter, which also writes what happened into the file that VAULT_HA_TEST_REPORT names. */
import { writeFileSync } from "node:fs";
import Mocha, { type Runner } from "mocha";

class CountingSpec extends Mocha.reporters.Spec {
  constructor(runner: Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    // mocha itself dies of Ctrl-C at once. Like this the test that runs ends, and its hooks clean up.
    process.once("SIGINT", () => runner.abort());
    const pending: string[] = [];
    runner.on("pending", (test) => pending.push(test.fullTitle()));
    const failures: string[] = [];
    runner.on("fail", (test, error) => failures.push(`${test.fullTitle()}: ${firstWords(error)}`));
    runner.on("end", () => {
      const file = process.env.VAULT_HA_TEST_REPORT;
      const { passes: passed = 0, failures: failed = 0 } = runner.stats ?? {};
      // A run that was stopped has fewer results than tests. Of files that run beside each other mocha counts none.
      const { total } = runner;
      if (file) writeFileSync(file, JSON.stringify({ passed, failed, failures, pending, total }));
    });
  }
}

/** What a line at the end of a long run has room for; mocha's own summary of the stage has all of it. */
function firstWords(error: unknown): string {
  // Files that run beside each other send their errors as plain objects.
  const { message } = Object(error) as { message?: unknown };
  const said = String(message ?? error);
  const line = said.trim().split("\n", 4).join(" ");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

// mocha loads a reporter with require, which gives this as the module itself.
export { CountingSpec as "module.exports" };
