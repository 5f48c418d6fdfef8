import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { poll } from "../../setup/processes.ts";

/** Plays npm: notes each call, and does what its plan says. */
const fakeNpm = `
const { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } = require("node:fs");
const plan = readFileSync("plan", "utf8").trim();
appendFileSync("calls", process.argv.slice(2).join(" ") + " cache=" + process.env.npm_config_cache + "\\n");
if (plan === "killed") process.kill(process.pid, "SIGKILL");
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules/node/bin", { recursive: true });
if (plan === "fail") { console.error("npm error the registry is away"); process.exit(7); }
if (plan !== "no scripts") symlinkSync(process.execPath, "node_modules/node/bin/node");
`;

const command = `
process.on("SIGINT", () => { console.log("interrupted"); process.exit(9); });
console.log(JSON.stringify(process.argv.slice(2)));
if (process.argv[2] === "wait") setInterval(() => {}, 1000);
else process.exitCode = Number(process.argv[2] ?? 0);
`;

describe("bin/start.mjs", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(folder, "commands"));
    copyFileSync("bin/start.mjs", join(folder, "bin/start.mjs"));
    writeFileSync(join(folder, "commands/up.ts"), command);
    writeFileSync(join(folder, "commands/test.ts"), command);
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "package-lock.json"), "{}");
    mkdirSync(join(folder, "npm"));
    writeFileSync(join(folder, "npm/package.json"), '{"type":"commonjs"}');
    writeFileSync(join(folder, "npm/npm-cli.js"), fakeNpm);
    plan("good");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const plan = (what: string) => writeFileSync(join(folder, "plan"), what);
  const calls = () => {
    const file = join(folder, "calls");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  };
  const start = (...args: string[]) =>
    execa(process.execPath, [join(folder, "bin/start.mjs"), ...args], {
      cwd: tmpdir(),
      env: { npm_execpath: join(folder, "npm/npm-cli.js"), VAULT_HA_CACHE: join(folder, "cache") },
      reject: false,
    });

  it("brings the packages, with npm's cache in the cache folder, and passes arguments on", async () => {
    const { stdout, stderr, exitCode } = await start("up", "0", "--stack", "a b");
    assert.equal(stdout, '["0","--stack","a b"]');
    assert.equal(exitCode, 0);
    assert.match(stderr, /^packages: npm ci.*\npackages: there after \d+ s$/);
    assert.deepEqual(calls(), [
      `ci --include=dev --no-progress --loglevel=error cache=${join(folder, "cache/npm")}`,
    ]);
  });

  it("brings them once, and again when the lock file changes", async () => {
    await start("up");
    assert.equal((await start("up")).stderr, "");
    assert.equal(calls().length, 1);
    writeFileSync(join(folder, "package-lock.json"), '{"packages":{}}');
    await start("up");
    assert.equal(calls().length, 2);
  });

  it("notices that npm was killed in the middle, even when the old lock file is back", async () => {
    await start("up");
    writeFileSync(join(folder, "package-lock.json"), '{"packages":{}}');
    plan("killed");
    assert.equal((await start("up")).exitCode, 137);
    assert.ok(existsSync(join(folder, "node_modules")));
    writeFileSync(join(folder, "package-lock.json"), "{}");
    plan("good");
    assert.equal((await start("up")).exitCode, 0);
    assert.equal(calls().length, 3);
  });

  it("shows npm's own words when it fails", async () => {
    plan("fail");
    const { stderr, exitCode } = await start("up");
    assert.equal(exitCode, 1);
    assert.match(stderr, /the registry is away\npackages: npm ci failed after \d+ s/);
  });

  it("says what to do where npm runs no install scripts, each time, without another npm ci", async () => {
    plan("no scripts");
    for (let i = 0; i < 2; i++) {
      const { stderr, exitCode } = await start("test");
      assert.equal(exitCode, 1);
      assert.match(stderr, /npm rebuild node --ignore-scripts=false\nand then again: npm test$/);
    }
    assert.equal(calls().length, 1);
  });

  it("lets one of two that start at once bring the packages", async () => {
    const both = await Promise.all([start("up"), start("up")]);
    assert.deepEqual(
      both.map(({ exitCode }) => exitCode),
      [0, 0],
    );
    assert.equal(calls().length, 1);
  });

  it("keeps the command's exit code", async () => {
    assert.equal((await start("up", "3")).exitCode, 3);
  });

  it("hands a signal on and waits for what the command makes of it", async () => {
    await start("up");
    const running = start("up", "wait");
    let seen = "";
    running.stdout.on("data", (text) => {
      seen += text;
    });
    await poll(() => seen.includes("wait") || undefined, { forMs: 5_000, everyMs: 20 });
    running.kill("SIGINT");
    const { stdout, exitCode } = await running;
    assert.equal(stdout, '["wait"]\ninterrupted');
    assert.equal(exitCode, 9);
  });

  it("lists the commands for one that does not exist, before it brings anything", async () => {
    const { stderr, exitCode } = await start("upp");
    assert.equal(exitCode, 2);
    assert.equal(stderr, 'There is no command "upp". Commands, each with --help:\n  npm test\n  npm run up');
    assert.deepEqual(calls(), []);
  });
});
