import assert from "node:assert/strict";
import { planRestore } from "../../operate/restore/plan.ts";
import { rehearseRestore } from "../../operate/restore/rehearse-restore.ts";
import { restore } from "../../operate/restore/restore.ts";
import type { Restoring } from "../../operate/restore/restoring.ts";
import { readKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { type Saved, saveSnapshot } from "../../steps/lib/snapshot.ts";
import { snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { TransitVault } from "../support/transit-vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("a restore into a Vault with a seal, on real Vault processes", function () {
  this.timeout(120_000);
  let transit: TransitVault;
  let stack: VaultStack;
  let saved: Saved;
  const others: VaultStack[] = [];
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  /** Begun with its use: the files before this one take their time. */
  const within = () => ({ say, signal: AbortSignal.timeout(110_000) });

  const raise = async (key?: string): Promise<VaultStack> => {
    const raised = await VaultStack.start(1, key === undefined ? {} : { seal: transit.seal(key) });
    others.push(raised);
    await raised.up();
    return raised;
  };
  const save = async (on: VaultStack): Promise<Saved> => {
    const vault = new Vault(await openRoad(Target.parse(on.target())), "vault-0", within(), on.token);
    const folder = snapshotFolder(on.stackDir);
    return await saveSnapshot(vault, folder, "dev", within()).finally(() => vault.close());
  };
  const restoringOn = async (on: VaultStack, more: Partial<Restoring>): Promise<Restoring> => {
    const target = Target.parse(on.target());
    const keys = {
      ...on.keys,
      threshold: 3,
      ...((await readKeys(on.stackDir))?.seal && { seal: "transit" }),
    };
    const restart = () => on.nodes.at(0).restart();
    const from = { file: saved.file, fromCluster: undefined, restart };
    const waiting = { timeoutSeconds: 60, ...within() };
    return { ...target, pods: on.pods, road: await openRoad(target), keys, ...from, ...waiting, ...more };
  };

  before(async () => {
    transit = await TransitVault.start();
    await transit.makeKey("another");
    stack = await raise("vault-unseal");
    await stack.nodes.at(0).send("POST", "sys/mounts/team", { type: "kv" }, stack.token);
    await stack.nodes.at(0).send("POST", "team/before", { value: "kept" }, stack.token);
    saved = await save(stack);
  });
  after(async function () {
    for (const each of others) await each.end(this);
    await transit?.end();
  });

  it("brings back what the snapshot holds, and the node unseals itself", async () => {
    await stack.nodes.at(0).send("POST", "team/after", { value: "lost" }, stack.token);
    const restoring = await restoringOn(stack, {});
    const { marker, voters } = await restore(await planRestore(restoring), restoring, undefined);
    assert.deepEqual({ marker, voters }, { marker: true, voters: 1 });
    assert.deepEqual((await stack.nodes.at(0).get("team/before", stack.token)).data, { value: "kept" });
    await assert.rejects(stack.nodes.at(0).get("team/after", stack.token), /404/);
  });

  it("puts the snapshot into another Vault with the same key, whose recovery shares are those of the snapshot then", async () => {
    const other = await raise("vault-unseal");
    const restoring = await restoringOn(other, { fromCluster: saved.record.clusterId });
    const original = { ...stack.keys, threshold: 3 };
    const { clusterId, voters } = await restore(await planRestore(restoring), restoring, original);
    assert.deepEqual({ clusterId, voters }, { clusterId: saved.record.clusterId, voters: 1 });
    assert.deepEqual((await other.nodes.at(0).get("team/before", stack.token)).data, { value: "kept" });
    const journal = await readKeys(other.stackDir);
    assert.deepEqual([journal?.seal, journal?.answer?.shares], ["transit", stack.keys.shares]);
  });

  it("is refused for a snapshot of another key of the seal, and nothing is changed", async () => {
    const other = await raise("another");
    const restoring = await restoringOn(other, { fromCluster: undefined });
    const plan = await planRestore({ ...restoring, file: (await save(other)).file });
    // Without the note that says whose it is, Vault itself is what notices.
    const foreign = { ...plan, file: saved.file };
    await assert.rejects(
      restore(foreign, restoring, undefined),
      /The seal transit of this Vault does not open .*another key of the seal.*Nothing was changed/s,
    );
    assert.equal((await other.verify()).code, 0);
  });

  it("is refused for a snapshot of a Vault that key shares unseal, and the reverse, with the reason", async () => {
    const shamir = await raise();
    const its = await save(shamir);
    await assert.rejects(
      planRestore(await restoringOn(stack, { file: its.file, fromCluster: its.record.clusterId })),
      /it is a snapshot of a Vault that key shares unseal \(shamir\), and this one the seal transit unseals/,
    );
    await assert.rejects(
      planRestore(await restoringOn(shamir, { fromCluster: saved.record.clusterId })),
      /it is a snapshot of a Vault that the seal transit unseals, and this one key shares unseal \(shamir\)/,
    );
    for (const each of [stack, shamir]) assert.equal((await each.verify()).code, 0);
  });

  it("is not rehearsed in a copy that can reach nobody, and says so before anything is made", async () => {
    const { keys } = await restoringOn(stack, {});
    const reach = { kind: "kubernetes", kubeconfig: "/no/such/file", namespace: "vault" } as const;
    const rehearsal = { stack: "dev", stackDir: stack.stackDir, reach, file: saved.file, keys };
    await assert.rejects(
      rehearseRestore({ ...rehearsal, timeoutSeconds: 5, ...within() }),
      /the seal transit unseals, and the copy of a rehearsal can reach nobody/,
    );
  });

  it("never says a share or a token", () => {
    const secrets = [...others.flatMap((each) => each.secrets()), transit.token];
    for (const secret of secrets) assert.ok(!said.join("\n").includes(secret));
  });
});
