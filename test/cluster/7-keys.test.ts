import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { asEachSpeaks } from "../support/as-each-speaks.ts";
import { minutes, sharedStack } from "../support/shared-stack.ts";
import { proposals, secretOf } from "../support/test-stack.ts";

describe("keys that change, on a real cluster", function () {
  this.timeout(5 * minutes);
  this.bail(true);
  let shared: Awaited<ReturnType<typeof sharedStack>>;

  before(async () => {
    shared = await sharedStack();
  });
  // They would outlive the stack, whose end is to leave nothing.
  after(() => {
    const { stackDir } = shared.test;
    for (const name of readdirSync(stackDir).filter((name) => name.startsWith("vault-init.until-")))
      rmSync(join(stackDir, name));
  });

  const json = async (name: string, ...args: string[]) => {
    const ran = await shared.command(name, ...args, "--json");
    assert.equal(ran.exitCode, 0, ran.all);
    return JSON.parse(ran.stdout);
  };
  const password = "a password of this test";
  /** The steps ran with the journal's keys, the state has them, and nothing is left to do. */
  const bringIntoState = async () => {
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /safe/);
    const outputs = await shared.test.stack.outputs();
    assert.deepEqual(secretOf(outputs, "shares"), shared.keys().shares);
    assert.equal(secretOf(outputs, "rootToken"), shared.keys().rootToken);
    assert.deepEqual(await proposals(shared.test.stack), []);
    return up.all;
  };

  it("are new shares and a new encryption key, without a restart", async () => {
    const { shares } = shared.keys();
    const before = await shared.containers();
    const plan = await json("rekey", "--dry-run");
    assert.deepEqual(plan.to, plan.from);
    assert.deepEqual(shared.keys().shares, shares);
    const rekeyed = await json("rekey");
    assert.equal(rekeyed.shares, shares.length);
    assert.notDeepEqual(shared.keys().shares, shares);
    const rotated = await json("rotate");
    assert.equal(rotated.after.term, rotated.before.term + 1);
    assert.deepEqual(await shared.containers(), before);
  });

  it("are a login in the root token's place, and a token of least privilege with which the stack goes on", async () => {
    const { rootToken } = shared.keys();
    const stack = ["--stack", shared.test.name];
    const revoke = ["root", "revoke", "--user", "olga", ...stack];
    const run = async (...more: string[]) => {
      const [name, ...args] = [...revoke, ...more];
      const ran = await execa(process.execPath, [`commands/${name}.ts`, ...args], {
        ...{ cwd: checkout, reject: false, all: true, input: password },
      });
      shared.keep(ran.all);
      return ran;
    };
    const dry = await run("--dry-run");
    assert.match(dry.stdout, /path "sys\/storage\/raft\/configuration"/);
    const unnamed = await run();
    assert.equal(unnamed.exitCode, 1);
    assert.match(unnamed.all, /It has to be named/);
    assert.equal(shared.keys().rootToken, rootToken);
    const revoked = await run("--confirm", shared.test.name);
    assert.equal(revoked.exitCode, 0, revoked.all);
    assert.ok(!revoked.all.includes(password));
    assert.notEqual(shared.keys().rootToken, rootToken);
  });

  it("come into the state with the next update, which opens a pod that has restarted with the new shares", async () => {
    await shared.tools.deletePods("vault-2");
    assert.match(await bringIntoState(), /unseal vault-2: unsealed/);
    const status = await shared.command("status");
    assert.match(status.stdout, /root token: revoked on .*; olga logs in/);
    assert.match(status.stdout, /is healthy/);
  });

  it("are a root token again, made from the shares", async () => {
    const generated = await json("root", "generate");
    assert.equal(generated.generated, true);
    const reach = {
      kind: "kubernetes" as const,
      kubeconfig: join(shared.test.stackDir, "kubeconfig"),
      namespace: "vault",
    };
    const step = { signal: AbortSignal.timeout(30_000) };
    const vault = new Vault(await asEachSpeaks(reach), "vault-0", step, shared.keys().rootToken);
    assert.deepEqual(await vault.ownPolicies(), ["root"]);
    vault.close();
    await bringIntoState();
  });
});
