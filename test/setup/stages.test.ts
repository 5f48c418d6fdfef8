import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { local } from "../../setup/folders.ts";
import { poll } from "../../setup/processes.ts";
import { loadSources } from "../../sources.ts";
import { inGroups } from "../support/stages.ts";

/** Runs a stage on one file of tests, in a process of its own: its output is not this run's. */
const program = `
import { runStage } from "${join(process.cwd(), "test/support/stages.ts")}";
const [stage, files, limitMs] = process.argv.slice(1);
const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
const options = { env: process.env, signal: stop.signal, files, limitMs: Number(limitMs) };
console.log("\\n" + JSON.stringify(await runStage(stage, options)));
`;

describe("a stage of npm test", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const start = (tests: string, limitMs = 20_000, stage = "unit") => {
    const file = join(folder, "some.test.ts");
    writeFileSync(file, tests);
    const args = ["--input-type=module", "-e", program, "--", stage, file, String(limitMs)];
    // Of a CI, mocha takes its colours for granted.
    return execa(process.execPath, args, { stdin: "ignore", env: { NO_COLOR: "1" } });
  };
  const outcome = async (tests: string, limitMs?: number) =>
    JSON.parse((await start(tests, limitMs)).stdout.split("\n").at(-1) ?? "");

  it("counts what passed and what failed, and shows each test's name", async () => {
    const running = await start(`
      it("stands", () => {});
      it("holds", () => {});
      it("falls", () => { throw new Error("fell"); });`);
    assert.deepEqual(JSON.parse(running.stdout.split("\n").at(-1) ?? ""), {
      passed: 2,
      failed: 1,
      remarks: ["failed: falls: fell"],
    });
    assert.match(running.stdout, /✔ stands\n.*✔ holds\n.*1\) falls/);
  });

  it("says at its end why each of its tests failed, in one line that has room", async () => {
    const { remarks } = await outcome(`
      it("long", () => { throw new Error("first\\nsecond " + "x".repeat(2000)); });
      it("odd", () => { throw "a word"; });`);
    assert.equal(remarks.length, 2);
    assert.match(remarks[0], /^failed: long: first second x{200,300}…$/);
    assert.match(remarks[1], /^failed: odd: .*a word/);
  });

  it("counts a test that is skipped as failed, and names it", async () => {
    assert.deepEqual(await outcome(`describe("a", () => { it("b", () => {}); it.skip("c", () => {}); });`), {
      passed: 1,
      failed: 1,
      remarks: ["not run, which counts as failed: a c"],
    });
  });

  it("counts a test that is left out for want of what a network lacks as neither, and says why", async () => {
    const title = "c (with Vault's own UI)";
    const left = await outcome(`it("b", () => {}); it.skip(${JSON.stringify(title)}, () => {});`);
    const why = "left out, as the Vault that a closed network builds carries no UI";
    if (loadSources().images === "closed")
      assert.deepEqual(left, { passed: 1, failed: 0, remarks: [`${why}: ${title}`] });
    else
      assert.deepEqual(left, {
        passed: 1,
        failed: 1,
        remarks: [`not run, which counts as failed: ${title}`],
      });
  });

  it("fails where there is no test", async () => {
    assert.deepEqual(await outcome(`describe("nothing", () => {});`), {
      passed: 0,
      failed: 1,
      remarks: ["there was no test"],
    });
  });

  it("fails when mocha dies in the middle", async () => {
    assert.deepEqual(
      await outcome(`it("a", () => {}); it("b", () => process.kill(process.pid, "SIGKILL"));`),
      {
        passed: 0,
        failed: 1,
        remarks: ["mocha ended with SIGKILL without a report"],
      },
    );
  });

  it("fails when mocha ends before each test has run, though none failed", async () => {
    assert.deepEqual(
      await outcome(`it("a", () => process.emit("SIGINT")); it("b", () => {}); it("c", () => {});`),
      {
        passed: 1,
        failed: 2,
        remarks: ["2 tests did not run, though none failed"],
      },
    );
  });

  it("fails when a file of tests cannot be loaded", async () => {
    const { passed, failed, remarks } = await outcome(`import "./nonesuch.ts"; it("a", () => {});`);
    assert.deepEqual([passed, failed], [0, 1]);
    assert.match(remarks[0], /^mocha ended with code \d+ without a report$/);
  });

  it("fails when all tests pass and mocha ends with another code than 0", async () => {
    assert.deepEqual(await outcome(`it("a", () => {}); process.on("exit", () => process.reallyExit(4));`), {
      passed: 1,
      failed: 1,
      remarks: ["mocha ended with code 4, though no test failed"],
    });
  });

  it("counts a hook that fails", async () => {
    const { failed, remarks } = await outcome(
      `after(() => { throw new Error("left over"); }); it("a", () => {});`,
    );
    assert.equal(failed, 1);
    assert.match(remarks[0], /^failed: .*after all.*: left over$/);
  });

  it("is ended when it hangs, with what it started", async () => {
    const { failed, remarks } = await outcome(
      `it("hangs", function () { this.timeout(0); return new Promise(() => { setInterval(() => {}, 1000); }); });`,
      1_500,
    );
    assert.equal(failed, 1);
    assert.match(remarks[0], /^mocha was ended after 0\.025 minutes without a report$/);
  });

  it("that is stopped lets its tests clean up, and has failed", async () => {
    const mark = join(folder, "mark");
    const running = start(`
      import { writeFileSync } from "node:fs";
      after(() => writeFileSync(${JSON.stringify(mark)}, "cleaned"));
      it("first", function () { this.timeout(0); console.log("begun"); return new Promise((done) => setTimeout(done, 1500)); });
      it("second", () => {});`);
    let seen = "";
    running.stdout.on("data", (text) => {
      seen += text;
    });
    await poll(() => seen.includes("begun") || undefined, { forMs: 10_000, everyMs: 50 });
    running.kill("SIGINT");
    const { stdout } = await running;
    const { stdout: cleaned } = await execa("cat", [mark]);
    assert.equal(cleaned, "cleaned");
    assert.deepEqual(JSON.parse(stdout.split("\n").at(-1) ?? ""), {
      passed: 1,
      failed: 1,
      remarks: ["stopped before its end"],
    });
  });

  it("runs beside another where both take clusters of their own, and alone where one is named", () => {
    assert.deepEqual(inGroups(["unit", "cluster", "stacks"]), [["unit"], ["cluster", "stacks"]]);
    assert.deepEqual(inGroups(["unit", "stacks"]), [["unit"], ["stacks"]]);
    assert.deepEqual(inGroups(["cluster", "soak"]), [["cluster"], ["soak"]]);
  });

  it("whose files run beside each other counts as the others do", async () => {
    const { stdout } = await start(
      `it("stands", () => {}); it("falls", () => { throw new Error("fell"); }); it.skip("rests", () => {});`,
      20_000,
      "vault",
    );
    assert.deepEqual(JSON.parse(stdout.split("\n").at(-1) ?? ""), {
      passed: 1,
      failed: 2,
      remarks: ["failed: falls: fell", "not run, which counts as failed: rests"],
    });
  });

  it("whose files run beside each other has failed where one of them dies", async () => {
    const { stdout } = await start(
      `it("a", () => {}); it("b", () => process.kill(process.pid, "SIGKILL"));`,
      20_000,
      "vault",
    );
    const { failed } = JSON.parse(stdout.split("\n").at(-1) ?? "");
    assert.ok(failed > 0, stdout);
  });

  it("whose files run beside each other leaves nothing running where it is stopped", async () => {
    const mark = join(folder, "mark");
    const running = start(
      `
      import { spawn } from "node:child_process";
      import { writeFileSync } from "node:fs";
      it("first", function () {
        this.timeout(0);
        const { pid } = spawn("sleep", ["600"], { stdio: "ignore" });
        writeFileSync(${JSON.stringify(mark)}, String(pid));
        return new Promise(() => { setInterval(() => {}, 1000); });
      });`,
      20_000,
      "vault",
    );
    await poll(() => (existsSync(mark) && readFileSync(mark, "utf8") !== "") || undefined, {
      forMs: 15_000,
      everyMs: 50,
    });
    const pid = Number(readFileSync(mark, "utf8"));
    running.kill("SIGINT");
    const { stdout } = await running;
    const { failed, remarks } = JSON.parse(stdout.split("\n").at(-1) ?? "");
    assert.ok(failed > 0, stdout);
    assert.ok(remarks.includes("stopped before its end"), stdout);
    const gone = await poll(() => !existsSync(`/proc/${pid}`) || undefined, { forMs: 5_000, everyMs: 50 });
    assert.ok(gone, `process ${pid} runs`);
  });
});

describe("what dead test runs left", function () {
  this.timeout(60_000);

  it("is removed; what a living run has stays", async () => {
    const dead = 4_194_300;
    const { sweepDeadRuns } = await import("../support/sweep.ts");
    const networks = [`vault-ha-dev-test-${dead}-aaaaaa`, `vault-ha-dev-test-${process.pid}-aaaaaa`];
    const list = async () =>
      (await execa("docker", ["network", "ls", "--format", "{{.Name}}"])).stdout.split("\n");
    for (const name of networks) await execa("docker", ["network", "create", name]);
    const file = join(local.stacks, `dev-test-${dead}`);
    writeFileSync(file, "");
    try {
      const lines = await sweepDeadRuns();
      assert.ok(
        lines.includes(`removed the network ${networks[0]}, of a test run that is gone`),
        lines.join("\n"),
      );
      assert.ok(lines.includes(`removed ${file}, of a test run that is gone`), lines.join("\n"));
      const left = await list();
      assert.deepEqual(
        networks.map((name) => left.includes(name)),
        [false, true],
      );
    } finally {
      const left = await list();
      for (const name of networks.filter((each) => left.includes(each))) {
        await execa("docker", ["network", "rm", name]);
      }
      rmSync(file, { force: true });
    }
  });
});
