import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { openVault } from "../../operate/open-vault.ts";
import { checkout } from "../../setup/folders.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { PrintedKeys } from "../support/made-by-hand.ts";
import { OutsideCluster, runCommandOn } from "../support/outside-cluster.ts";
import { minutes, pods } from "../support/shared-stack.ts";
import { makeStandalone } from "../support/standalone.ts";
import { makeTestStack, proposals, removeTestStack, type TestStack } from "../support/test-stack.ts";

const Value = z.object({ data: z.record(z.string(), z.string()) });

describe("npm run migrate standalone, of one on a real cluster", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let cluster: OutsideCluster;
  let test: TestStack;
  let keys: PrintedKeys;
  let claim: string;

  const migrate = (input: string, ...more: string[]) =>
    execa(
      process.execPath,
      [
        ...["commands/migrate.ts", "standalone", "--stack", test.name, ...more],
        ...["--context", cluster.context, "--kubeconfig", cluster.kubeconfig],
      ],
      { cwd: checkout, reject: false, all: true, input },
    );
  const inVault = (...args: string[]) => cluster.kubectl("--namespace", "vault", ...args);
  const claimOf = () => inVault("get", "pvc", "data-vault-0", "--output", "jsonpath={.metadata.uid}");
  const hasNoSecret = (shown: string) => {
    for (const secret of [...keys.unseal_keys_b64, keys.root_token]) assert.ok(!shown.includes(secret));
  };
  /** Asks the stack's Vault with the token that the Standalone gave once. */
  const vault = async <T>(pod: string, ask: (vault: Vault) => Promise<T>): Promise<T> => {
    const { road } = await openVault(test.name);
    const client = new Vault(road, pod, { signal: AbortSignal.timeout(20_000) }, keys.root_token);
    return ask(client).finally(() => client.close());
  };

  before(async () => {
    cluster = await OutsideCluster.shared();
    keys = await makeStandalone(cluster);
    claim = await claimOf();
    const writes =
      "read -r VAULT_TOKEN; export VAULT_TOKEN; vault secrets enable -version=1 kv && vault kv put kv/kept value=through";
    const exec = ["exec", "--stdin", "vault-0", "--namespace", "vault", "--", "sh", "-c", writes];
    await execa("kubectl", ["--kubeconfig", cluster.kubeconfig, ...exec], { input: `${keys.root_token}\n` });
    test = await makeTestStack(
      { "cluster.driver": "existing", "teardown.retainData": "false", "vault.tls.enabled": "false" },
      "-migrated",
    );
  });
  after(async () => {
    if (test === undefined) return;
    await test.stack.cancel().catch(() => {});
    await runCommandOn(test.name, "down");
    await removeTestStack(test);
    // The last file that puts something into it.
    await OutsideCluster.removeShared();
  });

  it("says what it would do, and what would be lost, and changes nothing", async () => {
    const dry = await migrate("", "--dry-run");
    assert.equal(dry.exitCode, 0, dry.all);
    assert.match(dry.all, /storage file, a volume of 1Gi\)[\s\S]*Nothing was changed \(--dry-run\)/);
    const unnamed = await migrate("", "--begin-anew", "--confirm", "another");
    assert.equal(unnamed.exitCode, 1, unnamed.all);
    assert.match(
      unnamed.all,
      /ALL of its data are deleted[\s\S]*"another" is another name\. Nothing was changed/,
    );
    const other = keys.unseal_keys_b64.map((share) =>
      Buffer.from(share, "base64").reverse().toString("base64"),
    );
    const refused = await migrate(other.join("\n"));
    assert.equal(refused.exitCode, 1, refused.all);
    assert.match(refused.all, /These shares are not this Vault's/);
    assert.equal(await inVault("get", "pod", "vault-0", "--output", "jsonpath={.status.phase}"), "Running");
    assert.equal(existsSync(join(test.stackDir, "vault-init.json")), false);
  });

  it("brings its data over, also cut off half way, after which the shares are not asked for again", async () => {
    const cut = migrate(JSON.stringify(keys));
    cut.all.on("data", (data) => {
      // The pod is on the volume, and Vault is at work there.
      if (/a copy of the volume is in/.test(String(data))) cut.kill("SIGKILL");
    });
    const { all: shown } = await cut;
    assert.match(shown, /a copy of the volume is in .*standalone-data-vault-0\.tar/);
    assert.doesNotMatch(shown, /entries are in Raft now/);
    // kubectl outlives its parent, so the pod may have ended its work by the time the next run looks.
    const migrated = await migrate("");
    assert.equal(migrated.exitCode, 0, migrated.all);
    assert.match(
      migrated.all,
      /A migration was begun \(keep data\), and goes on[\s\S]*(\d+ entries are in Raft now|the data is in Raft already)/,
    );
    assert.match(migrated.all, new RegExp(`npm run up -- --stack ${test.name}`));
    for (const text of [shown, migrated.all]) hasNoSecret(text);
    for (const file of ["vault-init.json", "standalone-data-vault-0.tar", "standalone.json"])
      assert.equal(statSync(join(test.stackDir, file)).mode & 0o777, 0o600, file);
    hasNoSecret(readFileSync(join(test.stackDir, "standalone.json"), "utf8"));
    assert.doesNotMatch(await inVault("get", "pods", "--output", "name"), /vault/);
    const again = await migrate("");
    assert.match(again.all, /has a migration behind it/);
  });

  it("is raised by npm run up to three voters on the same volume, with the same keys and values", async () => {
    const up = await runCommandOn(test.name, "up", "--json");
    assert.equal(up.exitCode, 0, up.all);
    assert.equal(JSON.parse(up.stdout).peers.length, 3);
    assert.match(up.all, /unseal vault-0: unsealed/);
    assert.equal(await claimOf(), claim);
    for (const pod of pods)
      assert.deepEqual((await vault(pod, (client) => client.ask(Value, "GET", "kv/kept"))).data, {
        value: "through",
      });
    assert.deepEqual(await proposals(test.stack), []);
    const status = await runCommandOn(test.name, "status");
    assert.equal(status.exitCode, 0, status.all);
  });

  it("deletes all of one that is begun anew, for somebody who names the stack", async () => {
    const down = await runCommandOn(test.name, "down");
    assert.equal(down.exitCode, 0, down.all);
    await removeTestStack(test);
    keys = await makeStandalone(cluster);
    test = await makeTestStack({ "cluster.driver": "existing", "teardown.retainData": "false" }, "-anew");
    const anew = await migrate("", "--begin-anew", "--confirm", test.name);
    assert.equal(anew.exitCode, 0, anew.all);
    await assert.rejects(claimOf(), /not found/);
    await assert.rejects(inVault("get", "statefulset", "vault"), /not found/);
    assert.equal(existsSync(join(test.stackDir, "vault-init.json")), false);
    const label = "jsonpath={.metadata.labels.vault-ha/stack}";
    assert.equal(await cluster.kubectl("get", "namespace", "vault", "--output", label), test.name);
  });
});
