import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { GivenKeys } from "../../operate/adopt/given-keys.ts";
import { planRestore } from "../../operate/restore/plan.ts";
import { restore } from "../../operate/restore/restore.ts";
import type { Restoring } from "../../operate/restore/restoring.ts";
import type { StepError } from "../../steps/lib/errors.ts";
import { readKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { type Saved, saveSnapshot } from "../../steps/lib/snapshot.ts";
import { readSnapshot } from "../../steps/lib/snapshot-file.ts";
import { snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

const pods = ["vault-0", "vault-1", "vault-2"];

describe("a restore, on real Vault processes", function () {
  this.timeout(300_000);
  let stack: VaultStack;
  let saved: Saved;
  const restarted: string[] = [];
  /** All that was said. */
  const said: string[] = [];
  const signal = () => AbortSignal.timeout(280_000);
  const say = (line: string) => void said.push(line);

  const restoringOn = async (on: VaultStack, more: Partial<Restoring> = {}): Promise<Restoring> => {
    const target = Target.parse(on.target());
    const keys = { shares: on.keys.shares, rootToken: on.token, threshold: 3 };
    const waiting = { timeoutSeconds: 120, say, signal: signal() };
    const restart = async (pod: string) => {
      restarted.push(pod);
      await on.nodes.at(pods.indexOf(pod)).restart();
    };
    const from = { file: saved.file, fromCluster: undefined, restart };
    return { ...target, pods, road: await openRoad(target), keys, ...from, ...waiting, ...more };
  };
  const run = async (restoring: Restoring, original?: GivenKeys) =>
    await restore(await planRestore(restoring), restoring, original);
  const secret = (name: string) => stack.nodes.at(0).get(`team/${name}`, stack.token);

  before(async () => {
    stack = await VaultStack.start(3);
    await stack.raise();
    assert.equal((await stack.verify()).code, 0);
    const vault = new Vault(
      await openRoad(Target.parse(stack.target())),
      "vault-0",
      { signal: signal() },
      stack.token,
    );
    await vault.enableKv("team", "of this test");
    await stack.nodes.at(0).send("POST", "team/before", { value: "kept" }, stack.token);
    saved = await saveSnapshot(vault, snapshotFolder(stack.stackDir), "dev", { say, signal: signal() });
  });
  after(async function () {
    await stack.end(this);
  });

  describe("into the same Vault", () => {
    it("brings back the state of the snapshot, and no other; what it took away can be brought back, too", async () => {
      await stack.nodes.at(0).send("POST", "team/after", { value: "lost" }, stack.token);
      const outcome = await run(await restoringOn(stack));
      const { marker, voters, formerCluster } = outcome;
      assert.deepEqual(
        { marker, voters, formerCluster },
        { marker: true, voters: 3, formerCluster: undefined },
      );
      assert.deepEqual((await secret("before")).data, { value: "kept" });
      await assert.rejects(secret("after"), /404/);
      const back = await run(await restoringOn(stack, { file: outcome.safety }));
      assert.equal(back.marker, true);
      assert.deepEqual((await secret("after")).data, { value: "lost" });
    });

    for (const [when, cut] of [
      ["before the snapshot was sent", "what runs now is saved first"],
      ["after the snapshot was sent", "has taken the snapshot"],
    ] as const)
      it(`goes on where it was cut off ${when}`, async () => {
        await stack.nodes.at(0).send("POST", "team/after", { value: "lost" }, stack.token);
        const stop = new AbortController();
        const interrupted = await restoringOn(stack, {
          signal: stop.signal,
          say: (line) => {
            say(line);
            if (line.includes(cut)) stop.abort(new Error("interrupted"));
          },
        });
        await assert.rejects(run(interrupted), /interrupted/);
        const outcome = await run(await restoringOn(stack));
        assert.equal(outcome.marker, true);
        await assert.rejects(secret("after"), /404/);
        assert.equal(existsSync(join(stack.stackDir, "restore.json")), false);
      });

    it("says of a snapshot that is older than the stack's token that it is in place, and how a token is made", async () => {
      const policies = { policies: ["root"], no_parent: true };
      const made = await stack.nodes.at(0).send("POST", "auth/token/create", policies, stack.token);
      const { client_token: rootToken } = made.auth as { client_token: string };
      await stack.nodes.at(0).send("POST", "team/after", { value: "lost" }, stack.token);
      const restoring = await restoringOn(stack);
      const later = { ...restoring, keys: { ...restoring.keys, rootToken } };
      await assert.rejects(run(later), ({ message, next }: StepError) => {
        assert.match(message, /is in place, and is not proved/);
        assert.match(next ?? "", /^npm run root generate -- --stack dev/);
        return true;
      });
      await assert.rejects(secret("after"), /404/);
      assert.equal(existsSync(join(stack.stackDir, "restore.json")), false);
      assert.equal((await run(restoring)).marker, true, "the token of the snapshot's time proves it");
    });

    it("refuses a file that is not whole, and leaves everything", async () => {
      await assert.rejects(
        restoringOn(stack, { file: "/nowhere/x.snap" }).then(planRestore),
        /there is no file \/nowhere\/x\.snap/,
      );
    });
  });

  describe("into another Vault", () => {
    let other: VaultStack;
    const id = () => saved.record.clusterId ?? assert.fail("no cluster id");
    const original = (): GivenKeys => ({ ...stack.keys, threshold: undefined });

    before(async () => {
      other = await VaultStack.start(3);
      // Other numbers than the snapshot's Vault has: a process that runs keeps to its own.
      await other.raise(3, { shares: 2, threshold: 2 });
      assert.equal((await other.verify()).code, 0);
    });
    after(async function () {
      await other.end(this);
    });

    it("is refused unless the other Vault is named, with the flag that does", async () => {
      const before = await other.nodes.at(0).get("sys/seal-status");
      await assert.rejects(restoringOn(other).then(planRestore), (error: Error) => {
        assert.match(error.message, /it is a snapshot of another Vault: of \S+, and \S+ runs/);
        assert.ok(error.message.includes(`--from-cluster ${id()}`), error.message);
        return true;
      });
      await assert.rejects(
        restoringOn(other, { fromCluster: "another" }).then(planRestore),
        new RegExp(`it is a snapshot of the Vault ${id()}, not of another`),
      );
      assert.deepEqual(await other.nodes.at(0).get("sys/seal-status"), before);
      assert.equal(existsSync(join(other.stackDir, "restore.json")), false);
    });

    it("stops with wrong shares, and goes on with the right ones", async () => {
      const restoring = await restoringOn(other, { fromCluster: id() });
      const shares = stack.keys.shares.map((share) =>
        Buffer.from(share, "base64").reverse().toString("base64"),
      );
      const wrong: GivenKeys = { ...stack.keys, shares, threshold: undefined };
      await assert.rejects(run(restoring, wrong), /shares do not open vault-\d/);
      assert.equal(
        (await readKeys(other.stackDir))?.answer?.rootToken,
        other.token,
        "the journal is as it was",
      );

      const outcome = await run(restoring, original());
      assert.equal(outcome.clusterId, id());
      assert.equal(outcome.marker, true);
      assert.notEqual(outcome.formerCluster, undefined);
      assert.ok(restarted.length >= 1, "those that went by other numbers of shares were started anew");
      for (const node of other.nodes.nodes)
        assert.deepEqual((await node.get("team/before", stack.token)).data, { value: "kept" });
    });

    it("makes the snapshot's keys the stack's, and keeps the former ones aside", async () => {
      const keys = await readKeys(other.stackDir);
      assert.deepEqual(keys?.answer?.shares, stack.keys.shares);
      assert.equal(keys?.answer?.rootToken, stack.token);
      assert.equal(keys?.custody?.clusterId, id());
      assert.ok(keys?.changedAt);
      const files = readdirSync(other.stackDir).filter((name) => /^vault-init\..+\.json$/.test(name));
      assert.equal(files.length, 1);
      const former = JSON.parse(readFileSync(join(other.stackDir, files[0] ?? ""), "utf8"));
      assert.equal(former.answer.rootToken, other.token);
    });

    it("never says a share or a token", async () => {
      const secrets = [...stack.keys.shares, ...other.keys.shares, stack.token, other.token];
      for (const line of said)
        for (const each of secrets) assert.ok(!line.includes(each), "a secret was said");
      assert.equal((await readSnapshot(saved.file)).sha256, saved.sha256);
    });
  });
});
