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
      {
        "cluster.driver": "existing",
        "cluster.context": cluster.context,
        "cluster.kubeconfig": cluster.kubeconfig,
        "teardown.retainData": "false",
      },
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

  const adopt = (input: object) =>
    execa(process.execPath, ["commands/adopt.ts", "--stack", test.name], {
      cwd: checkout,
      reject: false,
      all: true,
      input: JSON.stringify(input),
    });
  const containers = () => containerIdentities(cluster.kubeconfig, "vault", pods, { waitSeconds: 0 });
  const clusterId = async () =>
    JSON.parse(
      await cluster.kubectl(
        "exec",
        "vault-0",
        "--namespace",
        "vault",
        "--",
        "vault",
        "status",
        "-format=json",
      ),
    ).cluster_id;

  it("refuses shares of another Vault, and nothing is changed or sealed", async () => {
    const before = await containers();
    const other = keys.unseal_keys_b64.map((share) =>
      Buffer.from(share, "base64").reverse().toString("base64"),
    );
    const refused = await adopt({ ...keys, unseal_keys_b64: other });
    assert.equal(refused.exitCode, 1, refused.all);
    assert.match(
      refused.all,
      /These shares are not this Vault's: [\s\S]*Nothing was changed, and nothing is sealed/,
    );
    assert.deepEqual(await containers(), before);
    assert.equal(existsSync(join(test.stackDir, "vault-init.json")), false);
  });

  it("takes it over under writes: no container is another, no write is lost, and it is the same Vault", async () => {
    const before = { containers: await containers(), id: await clusterId() };
    const place = { kubeconfig: cluster.kubeconfig, pods, token: keys.root_token };
    const kept = await underWrites(place, async () => {
      const adopted = await adopt(keys);
      assert.equal(adopted.exitCode, 0, adopted.all);
      assert.match(adopted.all, /goes on with this Vault: 3 nodes, none of which was started anew/);
      for (const secret of [...keys.unseal_keys_b64, keys.root_token])
        assert.ok(!adopted.all.includes(secret));
    });
    assert.deepEqual(kept.lost, []);
    assert.ok(kept.acknowledged > 20, `${kept.acknowledged} writes were acknowledged`);
    assert.deepEqual({ containers: await containers(), id: await clusterId() }, before);
  });

  it("leaves a stack like any other: an empty preview, and a status that is well", async () => {
    assert.deepEqual(await proposals(test.stack), []);
    const status = await runCommandOn(test.name, "status");
    assert.equal(status.exitCode, 0, status.all);
    const up = await runCommandOn(test.name, "up");
    assert.equal(up.exitCode, 0, up.all);
  });

  it("says of one that is taken over that it is, and changes nothing", async () => {
    const again = await adopt(keys);
    assert.equal(again.exitCode, 1);
    assert.match(again.all, /has a Vault already\. Nothing was changed/);
  });

  it("ends as its stack says", async () => {
    const down = await runCommandOn(test.name, "down");
    assert.equal(down.exitCode, 0, down.all);
    assert.doesNotMatch(await cluster.kubectl("get", "namespaces", "--output", "name"), /namespace\/vault$/m);
  });
});
