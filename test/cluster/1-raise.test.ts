import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Peer } from "../../components/vault-lifecycle.ts";
import { openVault } from "../../operate/open-vault.ts";
import { signalKiller } from "../../operate/rehearsal/killers.ts";
import { checkout } from "../../setup/folders.ts";
import { commandLine, family, seen } from "../support/process-family.ts";
import { eventually, getWithHost, minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { proposals, secretOf } from "../support/test-stack.ts";

type Shared = Awaited<ReturnType<typeof sharedStack>>;

/** The telling moments at which a run is cut off. Each run after it goes on from what that one left. */
describe("a stack that is raised on a real cluster, through five kills", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let shared: Shared;
  let shares: string[];

  before(async () => {
    shared = await sharedStack();
  });

  /** Begins `npm run up`, does something when the step that is named runs, and gives what was printed. */
  const cutOff = async (step: RegExp, cut: (step: number, pulumi: number) => Promise<void>) => {
    const run = execa(process.execPath, ["commands/up.ts", "--stack", shared.test.name], {
      cwd: checkout,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    const pid = run.pid ?? 0;
    const found = await seen(pid, step);
    const pulumi = await seen(pid, /^pulumi up /);
    if (found === undefined || pulumi === undefined) assert.fail(`${step} did not run:\n${(await run).all}`);
    await cut(found, pulumi);
    const ended = await run;
    shared.keep(ended.all);
    return ended;
  };
  const kill = (pid: number) => process.kill(pid, "SIGKILL");
  const journalFile = () => join(shared.test.stackDir, "vault-init.json");

  it("leaves a step at work where pulumi is killed while Vault is initialised, and the keys reach the disk", async () => {
    let left: number[] = [];
    const { exitCode } = await cutOff(/steps\/init\.ts/, async (_, pulumi) => {
      left = (await family(pulumi)).slice(1);
      // Once the intent is on the disk, the call is on its way.
      await eventually(async () => existsSync(journalFile()), "the journal");
      kill(pulumi);
    });
    assert.notEqual(exitCode, 0);
    await eventually(async () => shared.keys().shares.length === 5, "the keys in the journal");
    shares = shared.keys().shares;
    // The official Kubernetes plug-in does not notice that its pulumi is gone.
    for (const pid of left) if (/pulumi-resource-/.test(await commandLine(pid))) kill(pid);
  });

  it("removes the dead pulumi's lock, takes the keys from the journal, and goes on, until a step is killed", async () => {
    const { all, exitCode } = await cutOff(/steps\/unseal\.ts/, async (step) => void kill(step));
    assert.notEqual(exitCode, 0);
    assert.match(all, /removed the lock of a dead process: process \d+/);
    assert.match(
      all,
      /an earlier run was cut off while it worked on .*lifecycle-init-vault-0: looked at anew/,
    );
    assert.match(all, /init vault-0: already initialised at /);
  });

  it("ends by itself where it is interrupted while vault-1 joins", async () => {
    const { all, exitCode } = await cutOff(/steps\/join\.ts/, async (_, pulumi) => {
      process.kill(pulumi, "SIGINT");
    });
    assert.notEqual(exitCode, 0, "the update was not interrupted");
    assert.doesNotMatch(all, /ended with code 137/);
  });

  it("goes on where vault-1's own process is killed while it is unsealed, until all that runs is killed", async () => {
    const { all } = await cutOff(/steps\/unseal\.ts/, async (_, pulumi) => {
      const aimed = await signalKiller(await openVault(shared.test.name), "KILL").aim("vault-1");
      await aimed.kill();
      // Its step waits for it as long as it has to; what comes after is killed with all that belongs to it.
      if ((await seen(pulumi, /steps\/(voter|verify)\.ts/)) === undefined) return;
      for (const pid of (await family(pulumi)).reverse()) kill(pid);
    });
    assert.doesNotMatch(all, /initialised with/);
  });

  it("is finished by the next run: three voters, one leader, and the keys of the one init", async () => {
    const { all, exitCode } = await shared.command("up");
    assert.equal(exitCode, 0, all);
    assert.doesNotMatch(all, /will not show as a stack output/);
    const outputs = await shared.test.stack.outputs();
    assert.deepEqual(secretOf(outputs, "shares"), shares);
    assert.equal(secretOf(outputs, "rootToken"), shared.keys().rootToken);
    const peers: Peer[] = outputs.peers?.value;
    assert.deepEqual(
      peers.map(({ node, voter }) => [node, voter]),
      pods.map((pod) => [pod, true]),
    );
    assert.equal(peers.filter(({ state }) => state === "leader").length, 1);
    assert.equal(shared.log.match(/initialised with 5 shares/g)?.length ?? 0, 0, "it was initialised again");
  });
});

describe("a stack that stands on a real cluster", function () {
  this.timeout(5 * minutes);
  this.bail(true);
  let shared: Shared;
  before(async () => {
    shared = await sharedStack();
  });

  it("answers at Vault's address on this machine, unsealed", async () => {
    const { initialized, sealed } = await shared.vault("sys/health?standbyok=true");
    assert.deepEqual({ initialized, sealed }, { initialized: true, sealed: false });
  });

  it("has put autopilot's stabilization time back to Vault's own", async () => {
    const { data } = await shared.vault("sys/storage/raft/autopilot/configuration");
    assert.equal((data as Record<string, unknown>).server_stabilization_time, "10s");
  });

  it("serves the test application through the ingress", async () => {
    let body = "";
    await eventually(async () => {
      body = await getWithHost(`http://127.0.0.1:${shared.test.ports.http}/hello`, "whoami.localhost");
      return true;
    }, "the ingress to know its host");
    assert.match(body, /^Hostname: whoami-/m);
    assert.match(body, /^GET \/hello HTTP\/1\.1$/m);
    assert.match(body, /^X-Forwarded-Host: whoami\.localhost/im);
  });

  it("serves Vault through the ingress, over HTTP as long as it speaks no HTTPS", async () => {
    let health = "";
    await eventually(async () => {
      const url = `http://127.0.0.1:${shared.test.ports.http}/v1/sys/health`;
      health = await getWithHost(url, "vault.localhost");
      return true;
    }, "Vault's leader to answer behind the ingress");
    const { initialized, sealed, standby } = JSON.parse(health);
    assert.deepEqual({ initialized, sealed, standby }, { initialized: true, sealed: false, standby: false });
  });

  it("proposes no change at a preview, once the run after a killed pod has noted the new container", async () => {
    await shared.test.stack.up({ onOutput: shared.keep });
    assert.deepEqual(await proposals(shared.test.stack), []);
  });

  it("keeps its keys in a file that nobody else can read", () => {
    for (const file of ["vault-init.json", "kubeconfig"])
      assert.equal(statSync(join(shared.test.stackDir, file)).mode & 0o777, 0o600, file);
  });

  it("shows a killed pod in the next preview, and unseals it in the next update", async () => {
    const before = await shared.containers();
    await shared.tools.deletePods("vault-1");
    await eventually(async () => {
      const now = await shared.containers(60);
      return now["vault-1"] !== before["vault-1"] && now["vault-1"] !== "not running";
    }, "vault-1 to run again");
    assert.deepEqual(await proposals(shared.test.stack), [
      "update lifecycle-unseal-vault-1",
      "update lifecycle-verify",
    ]);
    const { outputs } = await shared.test.stack.up({ onOutput: shared.keep });
    assert.ok(((outputs.peers?.value ?? []) as Peer[]).every(({ voter }) => voter));
    assert.deepEqual(secretOf(outputs, "shares"), shared.keys().shares);
    assert.deepEqual(await proposals(shared.test.stack), []);
  });
});
