import assert from "node:assert/strict";
import { longestGap } from "../../operate/rehearsal/ledger.ts";
import { makeMount } from "../../operate/rehearsal/mount.ts";
import { readBack } from "../../operate/rehearsal/read-back.ts";
import { Writer } from "../../operate/rehearsal/writer.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { RollingNodes } from "../../steps/lib/rolling-nodes.ts";
import { rollOut } from "../../steps/lib/rollout.ts";
import { readRecord, snapshotFiles } from "../../steps/lib/snapshot-record.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { within } from "../../steps/lib/wait.ts";
import { olderVault, olderVersion } from "../support/older-vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

const pods = ["vault-0", "vault-1", "vault-2"];

/** The longest that an upgrade may keep writes waiting, in milliseconds. */
const mostMs = 5_000;

describe("an upgrade of Vault, on real Vault processes", function () {
  // The older Vault is built where no run has done so yet.
  this.timeout(900_000);
  let older: string;
  let newer: string;
  let stack: VaultStack;
  let restarted: string[];
  let said: string[];
  /** Is told what the rollout says. */
  let onSaid: (line: string) => void;

  before(async () => {
    older = await olderVault();
    const probe = await VaultStack.start(1);
    newer = String((await probe.nodes.at(0).get("sys/seal-status")).version);
    await probe.end();
  });
  beforeEach(async () => {
    [restarted, said, onSaid] = [[], [], () => {}];
    stack = await VaultStack.start(3, { program: older });
    await stack.raise();
    assert.equal((await stack.verify()).code, 0);
    const { version } = await versionsAndLeader();
    assert.deepEqual(version, [olderVersion, olderVersion, olderVersion]);
  });
  afterEach(async function () {
    await stack.end(this);
  });

  const process = (pod: string) => stack.nodes.at(pods.indexOf(pod));
  const signal = () => AbortSignal.timeout(150_000);
  const road = () => openRoad(Target.parse(stack.target()));
  const versionsAndLeader = async () => {
    const health = await Promise.all(pods.map((pod) => process(pod).get("sys/health?standbyok=true")));
    const leader = pods[health.findIndex(({ standby }) => standby === false)] ?? assert.fail("nobody leads");
    return { version: health.map(({ version }) => version), leader };
  };
  /** The processes in the place of pods: each is to run this program. */
  const nodes = (program: string, image: string, more: Partial<RollingNodes> = {}): RollingNodes => ({
    names: pods,
    isStale: async () => false,
    reload: async () => assert.fail("nothing is to be reloaded"),
    seemsToLead: async () => false,
    isOutdated: async (pod) => process(pod).program !== program,
    image: async () => image,
    restart: async (pod) => {
      if (process(pod).program !== program) {
        restarted.push(pod);
        await process(pod).stop("SIGTERM");
        process(pod).program = program;
        await process(pod).start();
      }
    },
    vault: async (pod) => new Vault(await road(), pod, { signal: signal() }, stack.token),
    ...more,
  });
  const roll = (rolling: RollingNodes, { stop = signal(), seconds = 140 } = {}) => {
    const { reach } = Target.parse(stack.target());
    const say = (line: string) => {
      said.push(line);
      onSaid(line);
    };
    const opening = { stack: "dev", stackDir: stack.stackDir, reach, shares: stack.keys.shares };
    return rollOut(rolling, { ...opening, threshold: 3 }, within({ say, signal: stop }, seconds));
  };
  const upgrade = (more: Partial<RollingNodes> = {}) => nodes("vault", `hashicorp/vault:${newer}`, more);

  it("saves a snapshot of the older one, restarts the leader last, loses no acknowledged write and tells the versions", async () => {
    const { leader } = await versionsAndLeader();
    const vault = await nodes("vault", "").vault("vault-0");
    await makeMount(vault, "ledger");
    vault.close();
    const place = { road: await road(), token: stack.token, mount: "ledger" };
    const writer = new Writer({ ...place, nodes: pods, prefix: "w", signal: signal() });
    const began = performance.now();
    const { snapshot = assert.fail("no snapshot") } = await roll(upgrade());
    await writer.stop();
    assert.deepEqual(restarted, [...pods.filter((pod) => pod !== leader), leader]);
    assert.deepEqual((await versionsAndLeader()).version, [newer, newer, newer]);
    assert.ok(said.includes(`every node runs Vault ${newer}`), `${said}`);
    assert.equal((await readRecord(snapshot))?.vaultVersion, olderVersion);
    const { acknowledged } = writer;
    assert.ok(acknowledged.length > 20, `${acknowledged.length} were acknowledged`);
    const step = within({ say: () => {}, signal: signal() }, 60);
    for (const node of pods) assert.deepEqual(await readBack(acknowledged, { ...place, node }, step), []);
    const gap = longestGap(writer.writes, began) ?? assert.fail("no gap");
    console.log(
      `      ${acknowledged.length} acknowledged, none lost; longest time without a write: ${Math.round(gap.ms)} ms`,
    );
    assert.ok(gap.ms <= mostMs, `writes waited ${Math.round(gap.ms)} ms`);
  });

  for (const [when, cut] of [
    ["before the first restart", /^snapshot /],
    ["when a node was ended and is still the older one", /vault-\d is started anew/],
    ["when a node is the newer one and has its vote", /is a healthy voter again/],
    ["when the leader has handed over", /^vault-\d leads$/],
  ] as const)
    it(`goes on where it was cut off ${when}`, async () => {
      const stop = new AbortController();
      onSaid = (line) => cut.test(line) && stop.abort(new Error("killed"));
      await assert.rejects(roll(upgrade(), { stop: stop.signal }), /killed/);
      const before = restarted.length;
      await roll(upgrade());
      assert.equal(restarted.length, 3);
      assert.deepEqual(new Set(restarted), new Set(pods));
      assert.ok(before < 3, "it was cut off after the last restart");
      assert.deepEqual((await versionsAndLeader()).version, [newer, newer, newer]);
      assert.ok((await snapshotFiles(stack.stackDir)).length >= 1);
    });

  it("is not begun while a voter is away, which autopilot has not noticed yet, and says which", async () => {
    const { leader } = await versionsAndLeader();
    const [first, away = ""] = pods.filter((pod) => pod !== leader);
    await process(away).stop();
    await assert.rejects(
      roll(upgrade({ restart: () => assert.fail("it must not come to this") }), { seconds: 14 }),
      new RegExp(
        `for the others to do without ${first}, .*(${away} did not answer|failure tolerance 0.*${away})`,
      ),
    );
    assert.ok(
      said.some((line) => line.startsWith(`which Vault ${away} runs is not known`)),
      `${said}`,
    );
  });

  it("fails where a node does not come back as what the image says", async () => {
    await assert.rejects(
      roll(nodes("vault", "hashicorp/vault:99.0.0")),
      new RegExp(`image \\(hashicorp/vault:99\\.0\\.0\\) says: ${newer} on vault-0, vault-1, vault-2`),
    );
  });

  it("is refused the way back, with the reason, before anything is saved or restarted", async () => {
    await roll(upgrade());
    const saved = await snapshotFiles(stack.stackDir);
    restarted = [];
    await assert.rejects(
      roll(nodes(older, `hashicorp/vault:${olderVersion}`)),
      new RegExp(`vault-0 runs Vault ${newer}, and the release's image is hashicorp/vault:${olderVersion}`),
    );
    assert.deepEqual(restarted, []);
    assert.deepEqual(await snapshotFiles(stack.stackDir), saved);
  });
});
