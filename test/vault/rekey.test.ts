import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cancel, type Numbers, planRekey, rekey } from "../../operate/rotation/rekey.ts";
import type { Rotating } from "../../operate/rotation/rotating.ts";
import { checkout } from "../../setup/folders.ts";
import { readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { VaultStack } from "../support/vault-stack.ts";

const asNow: Numbers = { shares: undefined, threshold: undefined };

/** The requests of a rekey of 3 of 5 shares: which of its kind, of how many, and when it is cut off. */
const cuts: [request: string, nth: number, when: "before" | "after"][] = [
  ["PUT /v1/sys/rekey/init", 1, "before"],
  ["PUT /v1/sys/rekey/init", 1, "after"],
  ["PUT /v1/sys/rekey/update", 1, "after"],
  ["PUT /v1/sys/rekey/update", 3, "before"],
  ["PUT /v1/sys/rekey/update", 3, "after"],
  ["DELETE /v1/sys/rekey/verify", 1, "before"],
  ["PUT /v1/sys/rekey/verify", 1, "after"],
  ["PUT /v1/sys/rekey/verify", 3, "before"],
  ["PUT /v1/sys/rekey/verify", 3, "after"],
];

describe("a rekey, on real Vault processes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let proxy: RecordingProxy;
  /** What is done at a request, once; true lets it pass. */
  let trap:
    | { request: string; left: number; when: "before" | "after"; strike(): Promise<boolean> }
    | undefined;
  const said: string[] = [];

  const meet = (when: "before" | "after") => async (asked: string) => {
    if (trap === undefined || trap.when !== when || asked !== trap.request || --trap.left > 0) return true;
    const { strike } = trap;
    trap = undefined;
    return await strike();
  };

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
    proxy = await RecordingProxy.before(stack.nodes.at(0).address, meet("after"), {
      arrived: meet("before"),
    });
  });
  after(async function () {
    await proxy?.end();
    await stack?.end(this);
  });
  beforeEach(() => {
    said.length = 0;
    trap = undefined;
  });

  const targetOf = () => {
    const { reach, ...rest } = stack.target();
    return { ...rest, reach: { ...reach, addresses: { "vault-0": proxy.address } } };
  };
  const rotating = async (): Promise<Rotating> => {
    const target = Target.parse(targetOf());
    const say = (line: string) => void said.push(line);
    const signal = AbortSignal.timeout(80_000);
    return { ...target, road: await openRoad(target), pods: ["vault-0"], say, signal, timeoutSeconds: 20 };
  };
  const journal = async () => (await readKeys(stack.stackDir)) ?? assert.fail("no journal");
  const shares = async () => (await journal()).answer?.shares ?? [];
  const underWay = async () =>
    (await stack.nodes.at(0).get("sys/rekey/init", stack.token)) as { started: boolean; nonce: string };
  /** Starts the node anew, and says whether these shares open it. */
  const open = async (keys: readonly string[], threshold: number) => {
    const node = stack.nodes.at(0);
    await node.restart();
    try {
      for (const key of keys.slice(0, threshold)) await node.send("PUT", "sys/unseal", { key });
    } catch {
      await node.send("PUT", "sys/unseal", { reset: true });
      return false;
    }
    return (await node.get("sys/seal-status")).sealed === false;
  };

  it("makes shares that open Vault in the place of those that did, and keeps those in a file of their own", async () => {
    const before = await journal();
    const rekeyed = await rekey(asNow, await rotating());
    assert.equal(rekeyed.shares, 5);
    const { answer, changedAt, rekey: left, custody, threshold } = await journal();
    assert.equal(left, undefined);
    assert.ok(changedAt !== undefined);
    assert.deepEqual([threshold, custody], [before.threshold, before.custody]);
    assert.equal(answer?.rootToken, before.answer?.rootToken);
    const former = JSON.parse(readFileSync(rekeyed.former, "utf8"));
    assert.deepEqual(former.answer, before.answer);
    assert.equal(former.replacedAt, changedAt);
    for (const file of readdirSync(stack.stackDir).filter((name) => name.startsWith("vault-init")))
      assert.equal(statSync(join(stack.stackDir, file)).mode & 0o777, 0o600);
    assert.equal(await open(former.answer.shares, 3), false);
    assert.equal(await open(answer?.shares ?? [], 3), true);
  });

  it("has init answer with the new shares, so that they come into Pulumi's state", async () => {
    const ran = await stack.init();
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(ran.answer.shares, await shares());
  });

  it("shows no share in what it says", async () => {
    const before = await shares();
    await rekey(asNow, await rotating());
    for (const share of [...before, ...(await shares())]) assert.ok(!said.join("\n").includes(share));
  });

  it("changes nothing where it is only planned", async () => {
    const before = await journal();
    const plan = await planRekey({ shares: 3, threshold: 2 }, await rotating());
    assert.deepEqual(plan, {
      from: { shares: 5, threshold: 3 },
      to: { shares: 3, threshold: 2 },
      begunAt: undefined,
    });
    assert.deepEqual(await journal(), before);
    assert.equal((await underWay()).started, false);
  });

  it("refuses numbers that Vault would not take", async () => {
    for (const numbers of [
      { shares: 2, threshold: undefined },
      { shares: 2, threshold: 1 },
    ])
      await assert.rejects(rekey(numbers, await rotating()), /Nothing was changed/);
    assert.equal((await underWay()).started, false);
  });

  it("leaves a rekey of somebody else's alone, and names it with the command that cancels it", async () => {
    await stack.nodes
      .at(0)
      .send("PUT", "sys/rekey/init", { secret_shares: 1, secret_threshold: 1 }, stack.token);
    const { nonce } = await underWay();
    await assert.rejects(rekey(asNow, await rotating()), (error: Error) => {
      assert.ok(
        error.message.endsWith(`Next: npm run rekey -- --stack dev --cancel ${nonce}`),
        error.message,
      );
      return true;
    });
    assert.equal((await underWay()).nonce, nonce);
    await assert.rejects(cancel("another", await rotating()), new RegExp(`Another rekey .*${nonce}`));
    assert.equal(await cancel(nonce, await rotating()), true);
    assert.equal((await underWay()).started, false);
    assert.equal(await cancel(nonce, await rotating()), false);
  });

  it("says so where the journal's shares are not this Vault's, and leaves no rekey behind", async () => {
    const before = await journal();
    const { answer } = before;
    assert.ok(answer);
    const wrong = answer.shares.map((share) => Buffer.from(share, "base64").reverse().toString("base64"));
    await writeKeys(stack.stackDir, { ...before, answer: { ...answer, shares: wrong } });
    await assert.rejects(rekey(asNow, await rotating()), /The stack's shares do not open this Vault/);
    assert.equal((await underWay()).started, false);
    assert.equal((await journal()).rekey, undefined);
    await writeKeys(stack.stackDir, before);
  });

  describe("that is cut off", () => {
    /** Whether a set of shares on the disk opens this Vault, without a restart: it would make Vault forget. */
    const held = async () => {
      const { answer, threshold, rekey: left } = await journal();
      const sets = [
        { shares: answer?.shares ?? [], threshold },
        ...(left?.shares ? [{ shares: left.shares, threshold: left.threshold }] : []),
      ];
      for (const set of sets) if (await generates(set)) return true;
      return false;
    };
    const generates = async (set: { shares: string[]; threshold: number }) => {
      const node = stack.nodes.at(0);
      const { nonce } = await node.send("PUT", "sys/generate-root/attempt", {});
      try {
        let complete: unknown;
        for (const key of set.shares.slice(0, set.threshold))
          ({ complete } = await node.send("PUT", "sys/generate-root/update", { key, nonce }));
        return complete === true;
      } catch {
        await node.send("DELETE", "sys/generate-root/attempt");
        return false;
      }
    };

    for (const [request, nth, when] of cuts) {
      it(`is gone on with where its process was killed ${when} ${request} (${nth})`, async () => {
        const before = await shares();
        const child = spawn(process.execPath, ["test/support/rotation-process.ts"], { cwd: checkout });
        const gone = once(child, "exit");
        trap = {
          ...{ request, left: nth, when },
          strike: async () => {
            child.kill("SIGKILL");
            await gone;
            return when === "after";
          },
        };
        child.stdin.end(JSON.stringify({ target: targetOf(), pods: ["vault-0"], numbers: asNow }));
        assert.deepEqual((await gone)[1], "SIGKILL");
        assert.equal(trap, undefined);
        assert.ok(await held(), "no shares on the disk open Vault");
        const ours = (await journal()).rekey;
        const { started, nonce } = await underWay();
        // Killed between Vault's first answer and the journal, nothing says whose it is.
        if (started && ours === undefined) await cancel(nonce, await rotating());
        await rekey(asNow, await rotating());
        assert.notDeepEqual(await shares(), before);
        assert.equal((await underWay()).started, false);
        assert.equal(await open(await shares(), 3), true);
      });

      it(`is gone on with where the connection broke ${when} ${request} (${nth})`, async () => {
        const before = await shares();
        trap = { request, left: nth, when, strike: async () => false };
        await assert.rejects(rekey(asNow, await rotating()), /did not answer/);
        assert.ok(await held(), "no shares on the disk open Vault");
        const { started, nonce } = await underWay();
        if (started && (await journal()).rekey === undefined) await cancel(nonce, await rotating());
        await rekey(asNow, await rotating());
        assert.notDeepEqual(await shares(), before);
        assert.equal(await open(await shares(), 3), true);
      });
    }

    it("begins anew where Vault was started again meanwhile and knows nothing of it", async () => {
      const before = await shares();
      trap = { request: "DELETE /v1/sys/rekey/verify", left: 1, when: "before", strike: async () => false };
      await assert.rejects(rekey(asNow, await rotating()));
      const never = (await journal()).rekey?.shares;
      assert.equal(await open(before, 3), true);
      await rekey(asNow, await rotating());
      assert.match(said.join("\n"), /the shares of before are good still/);
      assert.notDeepEqual(await shares(), never);
      assert.equal(await open(await shares(), 3), true);
    });

    it("is cancelled, and the shares of before stay good", async () => {
      const before = await shares();
      trap = { request: "PUT /v1/sys/rekey/verify", left: 3, when: "before", strike: async () => false };
      await assert.rejects(rekey(asNow, await rotating()));
      const nonce = (await journal()).rekey?.nonce ?? "";
      await assert.rejects(
        rekey({ shares: 4, threshold: 3 }, await rotating()),
        /was begun at .* and cut off\. It comes first/,
      );
      assert.equal(await cancel(nonce, await rotating()), true);
      assert.equal((await journal()).rekey, undefined);
      assert.equal(await open(before, 3), true);
    });

    it("is never cancelled where Vault has taken the new shares already", async () => {
      trap = { request: "PUT /v1/sys/rekey/verify", left: 3, when: "after", strike: async () => false };
      await assert.rejects(rekey(asNow, await rotating()));
      const { rekey: left } = await journal();
      await assert.rejects(
        cancel(left?.nonce ?? "", await rotating()),
        /has taken the shares of this rekey already/,
      );
      assert.deepEqual((await journal()).rekey, left);
      await rekey(asNow, await rotating());
      assert.deepEqual(await shares(), left?.shares);
    });
  });
});

describe("a rekey to other numbers, on a cluster of real Vault processes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  before(async () => {
    stack = await VaultStack.start(3);
    await stack.raise();
  });
  after(async function () {
    await stack?.end(this);
  });

  it("goes for every node: each opens with the new shares after a start, and whoever leads wants so many", async () => {
    const target = Target.parse(stack.target());
    const rotating: Rotating = {
      ...{ ...target, road: await openRoad(target), pods: stack.pods, say: () => {}, timeoutSeconds: 30 },
      signal: AbortSignal.timeout(80_000),
    };
    await rekey({ shares: 3, threshold: 2 }, rotating);
    const said = await Promise.all(stack.nodes.nodes.map(async (node) => await node.get("sys/seal-status")));
    // A standby tells the numbers of before until it is started anew or leads: operate/doctor/checks/keys.ts.
    assert.deepEqual(
      said.map(({ n, t }) => [n, t]),
      [
        [3, 2],
        [5, 3],
        [5, 3],
      ],
    );
    await stack.nodes.at(0).send("PUT", "sys/step-down", {}, stack.token);
    assert.equal((await stack.verify()).code, 0);
    // The one that leads now has to know the numbers, too.
    await rekey({ shares: undefined, threshold: undefined }, rotating);
    const keys = (await readKeys(stack.stackDir))?.answer;
    assert.equal(keys?.shares.length, 3);
    stack.keys = keys ?? stack.keys;
    for (const node of stack.nodes.nodes) await node.restart();
    for (const pod of stack.pods) {
      const ran = await stack.unseal(pod, { threshold: 2 });
      assert.equal(ran.code, 0, ran.stderr);
    }
    assert.equal((await stack.verify()).code, 0);
  });
});
