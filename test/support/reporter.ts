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
    runner.on("end", () => {
      const file = process.env.VAULT_HA_TEST_REPORT;
      const { passes = 0, failures = 0 } = runner.stats ?? {};
      // A run that was stopped has fewer results than tests. Of files that run beside each other mocha counts none.
      const { total } = runner;
      if (file) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, pending, total }));
    });
  }
}

// mocha loads a reporter with require, which gives this as the module itself.
export { CountingSpec as "module.exports" };
