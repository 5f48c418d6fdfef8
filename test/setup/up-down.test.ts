import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { checkout, local } from "../../setup/folders.ts";
import { poll } from "../../setup/processes.ts";

/** Outputs as index.ts has them, and no resources: `up` and `down` themselves are tried, not what they make. */
const program = `
import { setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
await setTimeout(Number(process.env.TRIED_WAIT ?? 0));
export const vaultAddress = "https://localhost:30000";
export const vaultAuthorityFile = "vault-ca.crt";
export const rootToken = pulumi.secret("MARKED-ROOT-TOKEN");
export const keysFile = "keys.json";
export const kubeconfigFile = "kubeconfig";
export const peers = [{ node: "vault-0", address: "vault-0.vault-internal:8201", state: "leader", voter: true }];
`;

// A checkout of its own, with this one's packages, and this one's tools as what PATH has.
describe("npm run up and npm run down, through the real engine", function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    for (const part of [
      "bin",
      "commands",
      "components",
      "offline",
      "operate",
      "policy",
      "setup",
      "steps",
      "settings",
      "config.ts",
      "sources.ts",
      "Pulumi.yaml",
      "package.json",
      "package-lock.json",
    ]) {
      cpSync(join(checkout, part), join(folder, part), { recursive: true });
    }
    cpSync(join(checkout, "test/support"), join(folder, "test/support"), { recursive: true });
    symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "index.ts"), program);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    execa(process.execPath, [join(folder, "commands", `${command}.ts`), ...args], {
      env: { VAULT_HA_NETWORK: "official", PATH: `${local.bin}${delimiter}${process.env.PATH}`, ...env },
      reject: false,
      stdin: "ignore",
    });
  const locks = () => join(folder, ".local/state/.pulumi/locks/organization/vault-ha/dev");
  const lockNames = () => (existsSync(locks()) ? readdirSync(locks()) : []);

  it("down before any up says that the tools are not there", async () => {
    const { stderr, exitCode } = await run("down");
    assert.equal(exitCode, 1);
    assert.match(stderr, /The tools are not there\. Bring them with: npm run setup/);
  });

  it("up makes the stack, shows pulumi's words and ends in the summary, without a secret", async () => {
    const { stdout, stderr, exitCode } = await run("up");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /\[3\/5\] tools: pulumi \S+ \(PATH\), kind \S+ \(PATH\), kubectl \S+ \(PATH\)/);
    assert.match(stderr, /stack dev is made[\s\S]*\[5\/5\] pulumi up\n[\s\S]*\+ 1 created/);
    assert.match(
      stdout,
      /Vault stands at https:\/\/localhost:30000\n {2}authority of its certificate: vault-ca\.crt .*\n\n {2}node +address +state +voter\n {2}vault-0 .* leader {2}yes\n/,
    );
    assert.match(stdout, /pulumi stack output rootToken --show-secrets/);
    assert.doesNotMatch(stdout + stderr, /MARKED/);
  });

  it("up --json gives the summary alone on standard output, without a secret", async () => {
    const { stdout } = await run("up", ["--json"]);
    const { vaultAddress, peers, seconds } = JSON.parse(stdout);
    assert.equal(vaultAddress, "https://localhost:30000");
    assert.equal(peers[0].voter, true);
    assert.ok(seconds >= 1);
    assert.doesNotMatch(stdout, /MARKED/);
  });

  it("up that is interrupted, by several signals at once, stops pulumi in order and says how to go on", async () => {
    const running = run("up", [], { TRIED_WAIT: "60000" });
    await poll(() => lockedBy(), { forMs: 30_000, everyMs: 50 });
    for (let i = 0; i < 3; i++) running.kill("SIGINT");
    const { stderr, exitCode } = await running;
    assert.equal(exitCode, 130);
    assert.match(stderr, /error: preview canceled/);
    assert.match(stderr, /Stopped; nothing is lost\. To go on where it stopped: npm run up$/);
    assert.deepEqual(lockNames(), []);
  });

  it("up after a killed pulumi removes its lock and forgets what it was in the middle of", async () => {
    const running = run("up", [], { TRIED_WAIT: "60000" });
    const pid = await poll(() => lockedBy(), { forMs: 30_000, everyMs: 50 });
    assert.ok(pid);
    const second = await run("up");
    assert.equal(second.exitCode, 1);
    assert.match(second.stderr, new RegExp(`Stack dev is in use: process ${pid} of `));
    process.kill(pid, "SIGKILL");
    assert.equal((await running).exitCode, 1);
    await makePending();
    const { stderr, exitCode } = await run("up");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, new RegExp(`removed the lock of a dead process: process ${pid} `));
    assert.match(stderr, /an earlier run was cut off while it worked on tried: looked at anew/);
    assert.doesNotMatch(stderr, /pending operation/i);
  });

  it("up refuses what the policy pack finds, before anything is made; in dev it only says so", async () => {
    const leaking = `${program}export const leaked = "hvs.CAESIJ1-x_2345678901234567890";\n`;
    writeFileSync(join(folder, "index.ts"), leaking);
    const words = /key-material[\s\S]*The output leaked looks like a token of Vault's, and is no secret/;
    const refused = await run("up", ["--stack", "other"]);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, words);
    assert.doesNotMatch(refused.stderr, /Resources:[\s\S]*created/);
    const { stderr, exitCode } = await run("up");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, words);
    writeFileSync(join(folder, "index.ts"), program);
  });

  it("down destroys the stack, and says that Docker holds nothing of it", async () => {
    const { stderr, exitCode } = await run("down");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /- 1 deleted[\s\S]*\[3\/3\] what is left: nothing, in Docker/);
  });

  it("up after the passphrase and the state are gone takes the old salt out of the settings", async () => {
    rmSync(join(folder, ".local"), { recursive: true });
    const { stderr, exitCode } = await run("up");
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /took the salt of an earlier stack out of Pulumi\.dev\.yaml/);
  });

  it("up says which outputs a stack lacks", async () => {
    writeFileSync(join(folder, "index.ts"), 'export const vaultAddress = "x";\n');
    const { stderr, exitCode } = await run("up");
    assert.equal(exitCode, 1);
    assert.match(stderr, /its outputs lack vaultAuthorityFile, keysFile, kubeconfigFile, peers/);
  });

  it("up passes on that pulumi failed", async () => {
    writeFileSync(join(folder, "index.ts"), 'throw new Error("no such thing");\n');
    const { stderr, exitCode } = await run("up");
    assert.equal(exitCode, 1);
    assert.match(stderr, /no such thing[\s\S]*pulumi up ended with code \d+; its words are above/);
  });

  it("down of a stack that does not exist says so and does nothing", async () => {
    const { stderr, exitCode } = await run("down", ["--stack", "nonesuch"]);
    assert.equal(exitCode, 0);
    assert.match(stderr, /There is no stack nonesuch; nothing to destroy/);
  });

  /** Process that holds the stack. */
  function lockedBy(): number | undefined {
    const [name] = lockNames();
    return name === undefined
      ? undefined
      : (JSON.parse(readFileSync(join(locks(), name), "utf8")) as { pid: number }).pid;
  }

  /** Puts a pending operation into the state, as a pulumi that is killed while it creates leaves it. */
  async function makePending(): Promise<void> {
    const file = join(folder, ".local/state/.pulumi/stacks/vault-ha/dev.json");
    const state = JSON.parse(readFileSync(file, "utf8"));
    const type = "random:index/randomString:RandomString";
    const resource = { urn: `urn:pulumi:dev::vault-ha::${type}::tried`, custom: true, type };
    state.checkpoint.latest.pending_operations = [{ resource, type: "creating" }];
    writeFileSync(file, JSON.stringify(state));
  }
});
