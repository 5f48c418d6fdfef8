import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import { containerIdentities } from "../../steps/lib/pods.ts";
import { makeByHand, type PrintedKeys } from "../support/made-by-hand.ts";
import { OutsideCluster, runCommandOn } from "../support/outside-cluster.ts";
import { minutes, pods } from "../support/shared-stack.ts";
import { makeTestStack, proposals, removeTestStack, type TestStack } from "../support/test-stack.ts";
import { underWrites } from "../support/write-ledger.ts";

describe("npm run adopt, of a Vault that was made by hand", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let cluster: OutsideCluster;
  let test: TestStack;
  let keys: PrintedKeys;

  before(async () => {
    cluster = await OutsideCluster.shared();
    keys = await makeByHand(cluster);
    test = await makeTestStack(
      // What is missing is given by flags.
      { "cluster.driver": "existing", "teardown.retainData": "false" },
      "-adopted",
    );
    await test.stack.removeConfig("raft.performanceMultiplier");
  });
  after(async () => {
    if (test === undefined) return;
    await test.stack.cancel().catch(() => {});
    await runCommandOn(test.name, "down");
    await removeTestStack(test);
    rmSync(join(checkout, `adopted-${test.name}.yaml`), { force: true });
  });

  const place = () => ["--context", cluster.context, "--kubeconfig", cluster.kubeconfig];
  const adopt = (input: string, ...flags: string[]) =>
    execa(process.execPath, ["commands/adopt.ts", "--stack", test.name, ...flags], {
      cwd: checkout,
      reject: false,
      all: true,
      input,
    });
  const containers = () => containerIdentities(cluster.kubeconfig, "vault", pods, { waitSeconds: 0 });
  const inVault = (...args: string[]) => cluster.kubectl("--namespace", "vault", ...args);
  /** What a restart would be seen by, and what the next pod would be made from. */
  const asItIs = async () => ({
    containers: await containers(),
    id: JSON.parse(await inVault("exec", "vault-0", "--", "vault", "status", "-format=json")).cluster_id,
    config: await inVault("get", "configmap", "vault-config", "--output", "jsonpath={.data}"),
    template: await inVault("get", "statefulset", "vault", "--output", "jsonpath={.metadata.generation}"),
  });
  const hasNoSecret = (shown: string) => {
    for (const secret of [...keys.unseal_keys_b64, keys.root_token]) assert.ok(!shown.includes(secret));
  };

  it("refuses shares of another Vault, and nothing is changed or sealed", async () => {
    const before = await asItIs();
    const other = keys.unseal_keys_b64.map((share) =>
      Buffer.from(share, "base64").reverse().toString("base64"),
    );
    const refused = await adopt(other.join("\n"), ...place());
    assert.equal(refused.exitCode, 1, refused.all);
    assert.match(
      refused.all,
      /These shares are not this Vault's: [\s\S]*Nothing was changed, and nothing is sealed/,
    );
    assert.deepEqual(await asItIs(), before);
    assert.equal(existsSync(join(test.stackDir, "vault-init.json")), false);
  });

  it("takes it over under writes, also cut off half way: no container is another, no write is lost", async () => {
    const before = await asItIs();
    const writes = { kubeconfig: cluster.kubeconfig, pods, token: keys.root_token };
    const kept = await underWrites(writes, async () => {
      const cut = adopt(JSON.stringify(keys), ...place());
      cut.all.on("data", (data) => {
        // What comes next takes seconds, and is not cut in two.
        if (/prove the shares: [\d.]+ s/.test(String(data))) cut.kill("SIGINT");
      });
      const { exitCode, all } = await cut;
      assert.equal(exitCode, 130, all);
      assert.match(all, /To go on: npm run -s adopt -- --stack/);
      hasNoSecret(all);
      // The shares are needed once.
      const adopted = await adopt("");
      assert.equal(adopted.exitCode, 0, adopted.all);
      assert.match(adopted.all, /goes on with this Vault: 3 nodes, none of which was started anew/);
      hasNoSecret(adopted.all);
    });
    assert.deepEqual(kept.lost, []);
    assert.ok(kept.acknowledged > 20, `${kept.acknowledged} writes were acknowledged`);
    assert.deepEqual(await asItIs(), before);
  });

  it("leaves a stack like any other: an empty preview, and a status that is well", async () => {
    assert.deepEqual(await proposals(test.stack), []);
    const status = await runCommandOn(test.name, "status");
    assert.equal(status.exitCode, 0, status.all);
    const up = await runCommandOn(test.name, "up");
    assert.equal(up.exitCode, 0, up.all);
  });

  it("says of one that is taken over that it is, and changes nothing", async () => {
    const again = await adopt("");
    assert.equal(again.exitCode, 0, again.all);
    assert.match(again.all, /has taken its Vault over already\. Nothing was changed/);
  });

  it("ends as its stack says", async () => {
    const down = await runCommandOn(test.name, "down");
    assert.equal(down.exitCode, 0, down.all);
    assert.equal(existsSync(test.stackDir), false);
    assert.doesNotMatch(await cluster.kubectl("get", "namespaces", "--output", "name"), /namespace\/vault$/m);
  });
});
