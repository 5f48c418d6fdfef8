import assert from "node:assert/strict";
import { rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { backupLogin } from "../../steps/lib/backup-login.ts";
import { readRecord } from "../../steps/lib/snapshot-record.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { asEachSpeaks } from "../support/as-each-speaks.ts";
import { eventually, minutes, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";

describe("snapshots on a schedule, on a real cluster", function () {
  this.timeout(5 * minutes);

  it("are saved by a pod that logs in by its service account, and status tells of the last good one", async () => {
    const shared = await sharedStack();
    await shared.test.stack.setConfig("backup.schedule", { value: "17 3 1 1 *" });
    await shared.test.stack.setConfig("backup.size", { value: "1Gi" });
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(
      (await shared.command("status")).stdout,
      /backup: none was good yet, next at \d{4}-01-01T03:17Z/,
    );

    await shared.tools.kubectl("create", "job", "now", "--from", "cronjob/vault-backup");
    await eventually(async () => {
      const status = await shared.command("status", "--json");
      return JSON.parse(status.stdout).backup.good !== undefined;
    }, "the snapshot");
    assert.match(
      (await shared.command("status")).stdout,
      /backup: last good 0 min ago \(raft index \d+\), next at .*; 1 kept in the cluster/,
    );
    const said = await shared.tools.kubectl("logs", "job/now");
    shared.keep(said);
    assert.match(said, /saved .*\.snap \(\d+ bytes, raft index \d+\)/);
  });

  it("come to this machine whole, and leave no pod behind", async () => {
    const shared = await sharedStack();
    const listed = (await shared.command("snapshot", "list")).stdout;
    const name = /In the cluster.*\n.*\n\s*(\S+\.snap)/.exec(listed)?.[1] ?? assert.fail(listed);
    const fetched = await shared.command("snapshot", "fetch", name, "--json");
    assert.equal(fetched.exitCode, 0, fetched.all);
    const { file, sha256 } = JSON.parse(fetched.stdout);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal((await readRecord(file))?.sha256, sha256);
    // It and its keys would outlive the stack, whose end is to leave nothing.
    rmSync(dirname(file), { recursive: true, force: true });
    const pods = await shared.tools.kubectl("get", "pods", "--output", "name");
    assert.doesNotMatch(pods, /fetch/);
  });

  it("are no more without a schedule: the login is gone from Vault, and what was saved stays", async () => {
    const shared = await sharedStack();
    await shared.test.stack.removeConfig("backup.schedule");
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    const kubeconfig = join(shared.test.stackDir, "kubeconfig");
    const road = await asEachSpeaks({ kind: "kubernetes", kubeconfig, namespace: "vault" });
    const step = { signal: AbortSignal.timeout(30_000) };
    const vault = new Vault(road, "vault-0", step, shared.keys().rootToken);
    const policies = JSON.stringify(await vault.ask(z.unknown(), "LIST", "sys/policies/acl"));
    vault.close();
    assert.ok(!policies.includes(backupLogin.policy), policies);
    const kept = await shared.tools.kubectl("get", "cronjob,pvc", "--output", "name");
    assert.match(kept, /persistentvolumeclaim\/vault-backup/);
    assert.doesNotMatch(kept, /cronjob/);
    // And it may come back to what it left.
    await shared.test.stack.setConfig("backup.schedule", { value: "17 3 1 1 *" });
    const again = await shared.command("up");
    assert.equal(again.exitCode, 0, again.all);
    assert.deepEqual(await proposals(shared.test.stack), []);
    await shared.test.stack.removeConfig("backup.schedule");
    assert.equal((await shared.command("up")).exitCode, 0);
  });
});
