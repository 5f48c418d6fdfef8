import assert from "node:assert/strict";
import { execa } from "execa";
import type { Explained } from "../../operate/doctor/causes.ts";
import type { Diagnosis } from "../../operate/doctor/diagnosis.ts";
import type { Status } from "../../operate/status/status.ts";
import { checkout } from "../../setup/folders.ts";
import { poll } from "../../setup/processes.ts";

/** npm run status and npm run doctor of one stack, as programs read them. Neither may ever show a secret. */
export class Looks {
  readonly #stack: string;
  readonly #secrets: () => string[];
  #found: Explained | undefined;

  constructor(stack: string, secrets: () => string[]) {
    this.#stack = stack;
    this.#secrets = secrets;
  }

  async #command<T>(name: string): Promise<{ answer: T; exitCode: number | undefined }> {
    const args = [`commands/${name}.ts`, "--stack", this.#stack, "--json"];
    const { stdout, stderr, exitCode } = await execa(process.execPath, args, {
      cwd: checkout,
      reject: false,
    });
    assert.ok(stdout.startsWith("{"), `npm run ${name} answered ${exitCode}: ${stderr}`);
    for (const secret of this.#secrets())
      assert.ok(!stdout.includes(secret), `npm run ${name} shows a secret`);
    return { answer: JSON.parse(stdout), exitCode };
  }

  /** npm run status */
  status = () => this.#command<Status>("status");
  /** npm run doctor */
  doctor = () => this.#command<Diagnosis>("doctor");

  /** Asks the doctor until it has a finding that fits. `what` it is, for the message where it never comes. */
  async finding(
    fits: (finding: Explained) => boolean,
    what: string,
  ): Promise<{ finding: Explained; all: Diagnosis }> {
    let last: Diagnosis | undefined;
    const found = await poll(
      async () => {
        const { answer, exitCode } = await this.doctor();
        last = answer;
        const finding = answer.findings.find(fits);
        if (finding) this.#found = finding;
        if (finding) assert.equal(exitCode, 1);
        return finding && { finding, all: answer };
      },
      { forMs: 90_000 },
    );
    return found ?? assert.fail(`waited for ${what}; last seen: ${JSON.stringify(last, null, 2)}`);
  }

  /** Types the next command of the last finding that has these words: that it helps is a part of the test. */
  async follow(words: string): Promise<void> {
    const line =
      this.#found?.next.find((each) => each.includes(words)) ?? assert.fail(`no "${words}" in next`);
    // pulumi asks only who sits at a terminal.
    const env = { PULUMI_SKIP_CONFIRMATIONS: "true" };
    await execa("sh", ["-c", line], { cwd: checkout, env, stdin: "ignore" });
  }

  /** Asks the doctor until it finds nothing. */
  async healthy(): Promise<void> {
    let last: Diagnosis | undefined;
    const well = await poll(
      async () => {
        const { answer, exitCode } = await this.doctor();
        last = answer;
        return exitCode === 0 || undefined;
      },
      { forMs: 180_000 },
    );
    assert.ok(well, `waited for a healthy cluster; last seen: ${JSON.stringify(last, null, 2)}`);
  }
}
