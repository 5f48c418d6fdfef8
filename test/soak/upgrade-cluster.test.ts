import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { loadSources } from "../../sources.ts";
import { containerIdentities } from "../../steps/lib/pods.ts";
import { readRecord, snapshotFiles } from "../../steps/lib/snapshot-record.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { asEachSpeaks } from "../support/as-each-speaks.ts";
import { bringOlderImage } from "../support/older-image.ts";
import { OutsideCluster, runCommandOn } from "../support/outside-cluster.ts";
import { minutes, pods } from "../support/shared-stack.ts";
import { makeTestStack, proposals, removeTestStack, type TestStack } from "../support/test-stack.ts";
import { underWrites } from "../support/write-ledger.ts";

/** The longest that an upgrade may keep writes waiting, in milliseconds. */
const mostMs = 5_000;

/** Two images of Vault, on a cluster whose nodes hold both. */
describe("an upgrade of Vault, on a real cluster", function () {
  // The older Vault is built where no run has done so yet.
  this.timeout(15 * minutes);
  this.bail(true);
  let cluster: OutsideCluster;
  let test: TestStack;
  let older: string;
  const newer = loadSources().vault.image.tag;
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  const valuesFile = join(folder, "values.yaml");

  before(async () => {
    cluster = await OutsideCluster.shared();
    older = await bringOlderImage(cluster);
    test = await makeTestStack(
      {
        "cluster.driver": "existing",
        "cluster.context": cluster.context,
        "cluster.kubeconfig": cluster.kubeconfig,
        "teardown.retainData": "false",
        "vault.storageSize": "1Gi",
        "vault.valuesFile": valuesFile,
      },
      "-upgraded",
    );
  });
  after(async () => {
    if (test !== undefined) {
      rmSync(join(test.stackDir, "snapshots"), { recursive: true, force: true });
      await test.stack.cancel().catch(() => {});
      await runCommandOn(test.name, "down");
      await removeTestStack(test);
    }
    rmSync(folder, { recursive: true });
  });

  const run = async (name: string, tag: string) => {
    writeFileSync(valuesFile, stringify({ server: { image: { tag } } }));
    return await runCommandOn(test.name, name);
  };
  const keys = () => JSON.parse(readFileSync(join(test.stackDir, "vault-init.json"), "utf8")).answer;
  const place = () => ({ kubeconfig: cluster.kubeconfig, pods, token: keys().rootToken });
  /** What each node says that it runs, and which one leads. */
  const nodes = async () => {
    const reach = { kind: "kubernetes" as const, kubeconfig: cluster.kubeconfig, namespace: "vault" };
    const road = await asEachSpeaks(reach);
    const found = await Promise.all(
      pods.map(async (pod) => {
        const vault = new Vault(road, pod, { signal: AbortSignal.timeout(30_000) });
        const [{ version }, { is_self }] = [await vault.sealStatus(), await vault.leader()];
        vault.close();
        return { pod, version, leads: is_self };
      }),
    );
    return {
      versions: found.map(({ version }) => version),
      leader: found.find(({ leads }) => leads)?.pod ?? assert.fail("no node leads"),
    };
  };

  it("begins at the image that the stack's own values name", async () => {
    const up = await run("up", older);
    assert.equal(up.exitCode, 0, up.all);
    assert.deepEqual((await nodes()).versions, [older, older, older]);
  });

  it("is planned by the preview: a snapshot, three restarts, the leader last", async () => {
    const { leader } = await nodes();
    const preview = await run("preview", newer);
    assert.equal(preview.exitCode, 0, preview.all);
    assert.match(preview.all, /: disruptive\./);
    assert.match(preview.all, /3 unseals[\s\S]*A snapshot is saved first/);
    assert.match(preview.all, new RegExp(`the leader last: .*then ${leader}, which leads`));
    // Nothing else is said to change.
    assert.doesNotMatch(preview.all, /How clients reach Vault|warning:/);
  });

  it("is done one node at a time, the leader last, and loses no acknowledged write", async () => {
    const { leader } = await nodes();
    let log = "";
    const { acknowledged, lost, gapMs } = await underWrites(place(), async () => {
      const up = await run("up", newer);
      log = up.all;
      assert.equal(up.exitCode, 0, up.all);
    });
    assert.deepEqual(lost, []);
    console.log(`      ${acknowledged} acknowledged, none lost; longest time without a write: ${gapMs} ms`);
    assert.ok(gapMs <= mostMs, `writes waited ${gapMs} ms`);
    assert.ok(acknowledged > 50, `${acknowledged} writes were acknowledged`);
    assert.deepEqual((await nodes()).versions, [newer, newer, newer]);
    const others = pods.filter((pod) => pod !== leader);
    assert.ok(log.includes(`to be started anew: ${[...others, leader].join(", then ")}`), log);
    assert.ok(log.includes(`every node runs Vault ${newer}`), log);
    const [snapshot = assert.fail("no snapshot")] = await snapshotFiles(test.stackDir);
    assert.equal((await readRecord(snapshot))?.vaultVersion, older);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("is refused the way back, by the preview, by npm run up and by pulumi up, and nothing is restarted", async () => {
    const containers = () => containerIdentities(cluster.kubeconfig, "vault", pods, { waitSeconds: 0 });
    const before = await containers();
    const preview = await run("preview", older);
    assert.match(preview.all, /: destructive\.[\s\S]*taken back to an older Vault/);
    const up = await run("up", older);
    assert.equal(up.exitCode, 1, up.all);
    assert.match(up.all, /npm run up refuses this, and changes nothing/);
    await assert.rejects(test.stack.up(), new RegExp(`runs Vault ${newer}, and the release's image is`));
    assert.deepEqual(await containers(), before);
    const again = await run("up", newer);
    assert.equal(again.exitCode, 0, again.all);
    assert.deepEqual(await containers(), before);
  });
});
