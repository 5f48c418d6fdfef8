import assert from "node:assert/strict";
import { execa } from "execa";
import { helpText, readArguments, type Usage } from "../../setup/arguments.ts";
import { onInterrupt } from "../../setup/interrupt.ts";
import { poll } from "../../setup/processes.ts";
import { duration, Progress } from "../../setup/progress.ts";
import { fits } from "../../setup/versions.ts";

const usage: Usage = {
  command: "npm run up",
  says: "Makes it.",
  flags: {
    stack: { says: "which", value: "name" },
    network: { says: "way", value: "way", choices: ["auto", "closed"] },
    json: { says: "as JSON" },
  },
};

describe("a command line", () => {
  it("gives flags with and without values", () => {
    const read = readArguments(usage, ["--stack", "a", "--json", "--network=closed"]);
    assert.deepEqual(read.flags, { stack: "a", json: true, network: "closed" });
    assert.deepEqual(read.problems, []);
  });

  it("has every mistake reported, one message each", () => {
    const { problems } = readArguments(usage, ["--stak", "a", "-x", "--network=open", "--json=1", "--stack"]);
    assert.deepEqual(problems, [
      "--stak is not a flag of npm run up; it has: --stack, --network, --json",
      '"a": npm run up takes flags only',
      "-x is not a flag of npm run up; it has: --stack, --network, --json",
      '--network is one of auto, closed, found "open"',
      '--json takes no value, found "1"',
      "--stack needs a name",
    ]);
  });

  it("does not take a flag for another one's value", () => {
    assert.deepEqual(readArguments(usage, ["--stack", "--json"]).problems, ["--stack needs a name"]);
  });

  it("takes words only where there are some to choose from", () => {
    const words = { name: "stage", says: "stages", choices: ["unit", "vault"] };
    assert.deepEqual(readArguments({ ...usage, words }, ["vault"]).words, ["vault"]);
    assert.deepEqual(readArguments({ ...usage, words }, ["volt"]).problems, [
      '"volt" is none of: unit, vault',
    ]);
  });

  it("is explained by --help, flag by flag", () => {
    assert.equal(readArguments(usage, ["--help"]).help, true);
    const text = helpText(usage);
    for (const part of ["npm run up -- [flags]", "--stack <name>", "--network <auto|closed>", "as JSON"]) {
      assert.ok(text.includes(part), part);
    }
  });

  // status and doctor tell what they saw by their other codes.
  const badUsage = {
    up: 2,
    down: 2,
    setup: 2,
    env: 2,
    test: 2,
    adopt: 2,
    rehearse: 2,
    tour: 2,
    explain: 2,
    preview: 3,
    status: 3,
    doctor: 3,
  };
  for (const [name, code] of Object.entries(badUsage)) {
    it(`of ${name}: --help ends with 0 and an unknown flag with ${code}, and nothing is done`, async () => {
      const run = (flag: string) => execa(process.execPath, [`commands/${name}.ts`, flag], { reject: false });
      const help = await run("--help");
      assert.equal(help.exitCode, 0);
      assert.match(help.stdout, /^npm (run |test)/);
      const wrong = await run("--nonesuch");
      assert.equal(wrong.exitCode, code);
      assert.equal(wrong.stdout, "");
      assert.match(wrong.stderr, /^--nonesuch is not a flag of npm .*\nSee: npm .* -- --help$/);
    });
  }

  it("of rehearse names every mistake at once, and ends nothing", async () => {
    const typed = ["--signal", "KILL", "--pod", "delete", "--rounds", "0", "--svg", "no/such/folder/a.svg"];
    const ran = await execa(process.execPath, ["commands/rehearse.ts", ...typed], { reject: false });
    assert.equal(ran.exitCode, 2);
    assert.deepEqual(ran.stderr.split("\n"), [
      "say what is rehearsed: failover or restore",
      "the leader is ended in one way, found --signal and --pod",
      '--rounds takes a whole number from 1, found "0"',
      "--svg no/such/folder/a.svg: there is no folder no/such/folder",
      "See: npm run rehearse -- --help",
    ]);
  });
});

describe("progress", () => {
  const record = (isTTY: boolean) => {
    const stream = { isTTY, columns: 60, text: "", write: (text: string) => (stream.text += text) };
    return stream;
  };

  it("is one line for a step that is quick, with its result and its time", async () => {
    const out = record(false);
    const progress = new Progress(2, out);
    assert.equal(
      await progress.step(
        "tools",
        async () => 7,
        (n) => `${n} tools`,
      ),
      7,
    );
    await progress.handOver("pulumi up", async () => {});
    assert.equal(out.text, "[1/2] tools: 7 tools, 0.0 s\n[2/2] pulumi up\n");
  });

  it("puts a step's own lines under its title", async () => {
    const out = record(false);
    await new Progress(1, out).step("tools", async (say) => say.line("kind is there"));
    assert.equal(out.text, "[1/1] tools\n      kind is there\n[1/1] tools: 0.0 s\n");
  });

  it("says that a step failed, and passes the error on", async () => {
    const out = record(false);
    const failing = new Progress(1, out).step("tools", () => Promise.reject(new Error("no disk")));
    await assert.rejects(failing, /no disk/);
    assert.equal(out.text, "[1/1] tools: failed after 0.0 s\n");
  });

  it("is a live line on a terminal, never wider than it, and without escapes elsewhere", async () => {
    const out = record(true);
    await new Progress(1, out).step("tools", async (say) => {
      say.now("kubectl ".repeat(30));
      await poll(() => out.text.includes("kubectl") || undefined, { forMs: 2_000, everyMs: 20 });
    });
    const lines = out.text.split("\r\x1b[K");
    assert.match(lines[1] ?? "", /^\[1\/1\] tools … 0\.\d s$/);
    assert.ok(lines.every((line) => line.trimEnd().length < 60));
    assert.match(lines.at(-1) ?? "", /^\[1\/1\] tools: 0\.\d s\n$/);
  });

  it("counts time as people do", () => {
    assert.deepEqual([340, 12_400, 119_000, 185_000, 3_600_000].map(duration), [
      "0.3 s",
      "12 s",
      "119 s",
      "3 min 05 s",
      "60 min 00 s",
    ]);
  });
});

describe("a wish to stop", () => {
  // The test run itself would take it for one to stop.
  let others: NodeJS.SignalsListener[];
  beforeEach(() => {
    others = process.listeners("SIGINT") as NodeJS.SignalsListener[];
    process.removeAllListeners("SIGINT");
  });
  afterEach(() => {
    process.removeAllListeners("SIGINT");
    for (const listener of others) process.on("SIGINT", listener);
  });

  it("that arrives three times within a moment is one, and a later one is the second", async () => {
    const seen: number[] = [];
    const release = onInterrupt((times) => seen.push(times));
    const send = () => process.emit("SIGINT", "SIGINT");
    for (let i = 0; i < 3; i++) send();
    assert.deepEqual(seen, [1]);
    const again = () => {
      send();
      return seen.length > 1 || undefined;
    };
    await poll(again, { forMs: 3_000, everyMs: 900 });
    release();
    assert.deepEqual(seen, [1, 2]);
  });
});

describe("a version", () => {
  it("fits from the first of a range up to, without, its end", () => {
    const range = { from: "1.35.0", below: "1.38.0" };
    const tried = ["1.34.9", "v1.35.0", "1.36.3-dispatcher", "1.37.99", "1.38.0", "2.0.0"];
    assert.deepEqual(
      tried.map((version) => fits(version, range)),
      [false, true, true, true, false, false],
    );
  });
});
