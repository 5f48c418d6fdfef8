import assert from "node:assert/strict";
import { proveOn } from "../../operate/restore/rehearse-restore.ts";
import { throwAwayPod } from "../../operate/restore/throw-away.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { type Saved, saveSnapshot } from "../../steps/lib/snapshot.ts";
import { snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { within } from "../../steps/lib/wait.ts";
import { VaultNodes } from "../support/vault-nodes.ts";
import { VaultStack } from "../support/vault-stack.ts";

/** Secrets that are written before the snapshot, by engine. */
const written = { "team/": ["a", "deep/er/b", "deep/c", "with space/d"], "two/": ["e", "f/g"] };

describe("what a rehearsed restore proves, on real Vault processes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let copy: VaultNodes;
  let saved: Saved;
  /** A token that may hardly do anything. */
  const lesser = "";
  const said: string[] = [];
  const waiting = () => ({
    say: (line: string) => void said.push(line),
    signal: AbortSignal.timeout(80_000),
  });

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
    const node = stack.nodes.at(0);
    const send = (path: string, body: object) => node.send("POST", path, body, stack.token);
    await send("sys/mounts/team", { type: "kv" });
    await send("sys/mounts/two", { type: "kv", options: { version: "2" } });
    for (const name of written["team/"]) await send(`team/${encodeURI(name)}`, { value: name });
    // A mount of version 2 is being upgraded for a moment after it was made.
    for (const name of written["two/"])
      for (let tries = 0; ; tries++)
        try {
          await send(`two/data/${name}`, { data: { value: name } });
          break;
        } catch (error) {
          if (tries > 100) throw error;
        }
    await send("two/data/gone", { data: { value: "x" } });
    await node.send("DELETE", "two/data/gone", undefined, stack.token);
    const vault = new Vault(await openRoad(Target.parse(stack.target())), "vault-0", waiting(), stack.token);
    saved = await saveSnapshot(vault, snapshotFolder(stack.stackDir), "dev", waiting());
    // What comes after the snapshot is no part of it.
    await send("team/later", { value: "x" });
  });
  after(async function () {
    await stack.end(this);
  });
  beforeEach(async () => {
    copy = await VaultNodes.start(1);
  });
  afterEach(async () => {
    await copy.end();
  });

  const proof = async (keys: { shares: string[]; rootToken: string }, record = saved.record) => {
    const reach = { kind: "direct" as const, addresses: { [throwAwayPod]: copy.at(0).address } };
    const road = await openRoad({ scheme: "http", reach });
    const rehearsal = { stack: "dev", stackDir: stack.stackDir, file: saved.file, timeoutSeconds: 30, reach };
    const step = within(waiting(), 30);
    return await proveOn(
      road,
      { ...rehearsal, keys: { ...keys, threshold: 3 }, ...waiting() },
      saved,
      record,
      step,
    );
  };

  it("reads every secret of every kv engine, in folders and of both versions, and the marker", async () => {
    const { secrets, deleted, engines, marker, clusterId } = await proof(stack.keys);
    assert.deepEqual(engines.sort(), ["team/", "two/"]);
    assert.equal(secrets, written["team/"].length + written["two/"].length);
    assert.equal(deleted, 1);
    assert.equal(marker, true);
    assert.equal(clusterId, saved.record.clusterId);
  });

  it("reads everything where the stack's token may not: the shares make one that is", async () => {
    const { secrets, marker } = await proof({ ...stack.keys, rootToken: lesser });
    assert.equal(secrets, 6);
    assert.equal(marker, undefined, "the marker is in another token's cubbyhole");
  });

  it("says so where the shares are not the snapshot's", async () => {
    const shares = stack.keys.shares.map((share) =>
      Buffer.from(share, "base64").reverse().toString("base64"),
    );
    await assert.rejects(proof({ ...stack.keys, shares }), /shares do not open vault-rehearsal/);
  });

  it("says so where the snapshot is not the one that was noted", async () => {
    await assert.rejects(
      proof(stack.keys, { ...saved.record, marker: "another" }),
      /What was written just before the snapshot of raft index \d+ is not in it/,
    );
  });
});
