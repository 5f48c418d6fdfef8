import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { generateRoot } from "../../operate/rotation/generate-root.ts";
import { planRekey, rekey } from "../../operate/rotation/rekey.ts";
import { rotate } from "../../operate/rotation/rotate.ts";
import type { Rotating } from "../../operate/rotation/rotating.ts";
import { poll } from "../../setup/processes.ts";
import { readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { sealWords } from "../../steps/lib/self-unseal.ts";
import { Target } from "../../steps/lib/target.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { TransitVault } from "../support/transit-vault.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

const asNow = { shares: undefined, threshold: undefined };

describe("a stack whose seal is another Vault's transit engine, on real Vault processes", function () {
  this.timeout(120_000);
  let transit: TransitVault;
  let stack: VaultStack;
  before(async () => {
    transit = await TransitVault.start();
    stack = await VaultStack.start(3, { seal: transit.seal() });
  });
  after(async function () {
    await stack?.end(this);
    await transit?.end();
  });

  const sealed = async (at: number) => (await stack.nodes.at(at).get("sys/seal-status")).sealed;
  const journal = async () => (await readKeys(stack.stackDir)) ?? assert.fail("no journal");
  /** The node that leads: after the restarts here it may be any. */
  const leading = async () => {
    const find = async () => {
      for (const node of stack.nodes.nodes)
        if ((await node.get("sys/leader").catch(() => undefined))?.is_self === true) return node;
      return undefined;
    };
    return (await poll(find, { forMs: 20_000 })) ?? assert.fail("no node leads");
  };
  const rotating = async (instead: Record<string, string> = {}): Promise<Rotating> => {
    const { reach, ...rest } = stack.target();
    const addresses = { ...reach.addresses, ...instead };
    const target = Target.parse({ ...rest, reach: { ...reach, addresses } });
    return {
      ...{ ...target, road: await openRoad(target), pods: stack.pods, timeoutSeconds: 20 },
      say: (line) => void said.push(line),
      signal: AbortSignal.timeout(100_000),
    };
  };
  const said: string[] = [];

  it("is not initialised as one that key shares unseal", async () => {
    const ran = await stack.init({ seal: undefined });
    assertRefused(ran, "vault-0 runs with the seal transit, and the stack's is shamir", "delete pod vault-0");
    assert.equal((await stack.nodes.at(0).get("sys/seal-status")).initialized, false);
    assert.equal(await readKeys(stack.stackDir), undefined);
  });

  it("is initialised with recovery shares, which the journal calls so, and unseals itself", async () => {
    const ran = await stack.init();
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /5 recovery shares \(the seal transit unseals the nodes\), threshold 3/);
    const { seal, answer, threshold } = await journal();
    assert.deepEqual([seal, answer?.shares.length, threshold], ["transit", 5, 3]);
    assert.deepEqual(answer?.shares, ran.answer.shares);
    assert.equal(statSync(join(stack.stackDir, "vault-init.json")).mode & 0o777, 0o600);
    const unsealed = await stack.unseal("vault-0");
    assert.equal(unsealed.code, 0, unsealed.stderr);
    assert.match(unsealed.stderr, /its seal \(transit\) has unsealed it/);
    assert.equal((await journal()).custody?.clusterId, unsealed.answer.clusterId);
  });

  it("has nodes that join and then unseal themselves, up to a proved whole, without one share sent", async () => {
    const proxy = await RecordingProxy.before(stack.nodes.at(1).address);
    stack.instead["vault-1"] = proxy.address;
    try {
      await stack.up();
    } finally {
      delete stack.instead["vault-1"];
      await proxy.end();
    }
    assert.ok(proxy.asked.some((asked) => asked.includes("sys/storage/raft/join")));
    assert.deepEqual(
      proxy.asked.filter((asked) => asked.includes("sys/unseal")),
      [],
    );
  });

  it("has a node unseal itself after a restart, with no step at all", async () => {
    await stack.nodes.at(2).restart();
    for (let tries = 0; tries < 100 && (await sealed(2)); tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await sealed(2), false);
    const ran = await stack.unseal("vault-2");
    assert.equal(ran.code, 0, ran.stderr);
  });

  it("says that a node's seal has not unsealed it, and goes on when the seal takes its login again", async () => {
    await transit.allow("encrypt");
    await stack.nodes.at(2).restart();
    const waits = await stack.unseal("vault-2", { timeoutSeconds: 3 });
    assertRefused(
      waits,
      "waited 3 s for vault-2 to be unsealed",
      "vault-2 is sealed (initialised: true), and its seal transit has not unsealed it",
      "logs vault-2",
    );
    const words = sealWords(await stack.nodes.at(2).log(60)) ?? "";
    assert.match(words, /permission denied/);
    assert.ok(!words.includes(transit.token), words);
    await transit.allow("encrypt", "decrypt");
    const ran = await stack.unseal("vault-2");
    assert.equal(ran.code, 0, ran.stderr);
  });

  it("goes on serving while its seal is away; a node that is started then ends with the reason in its log", async () => {
    await transit.away();
    assert.equal((await stack.verify()).code, 0);
    await assert.rejects(stack.nodes.at(2).restart());
    assert.match(
      sealWords(await stack.nodes.at(2).log(60)) ?? "",
      /Seal configuration: .*connection refused/,
    );
    const waits = await stack.unseal("vault-2", { timeoutSeconds: 2 });
    assertRefused(waits, "vault-2 did not answer");
    await transit.back();
    await stack.nodes.at(2).start();
    const ran = await stack.unseal("vault-2");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await stack.verify()).code, 0);
  });

  it("says in its log that its token is no good, and takes another one at the next start", async () => {
    const node = stack.nodes.at(2);
    await transit.revoke(transit.token);
    await assert.rejects(node.restart());
    const words = sealWords(await node.log(60)) ?? "";
    assert.match(words, /Code: 403\. Errors: .*permission denied/);
    assert.ok(!words.includes(transit.token), words);
    transit.token = await transit.makeToken();
    for (const each of stack.nodes.nodes) each.env = { VAULT_TOKEN: transit.token };
    await node.start();
    const ran = await stack.unseal("vault-2");
    assert.equal(ran.code, 0, ran.stderr);
  });

  it("tells a seal that is not reached from shares that are wrong, when shares are changed or a token is made", async () => {
    // vault-0 still has the token that was revoked.
    const before = await journal();
    const away =
      /using seal transit.*Whether the shares are right is not known\. Nothing was changed.*Next: npm run doctor/s;
    await assert.rejects(rekey(asNow, await rotating()), away);
    await assert.rejects(generateRoot(await rotating()), away);
    assert.deepEqual(await journal(), before);
    for (const node of stack.nodes.nodes.slice(0, 2)) {
      await node.restart();
      const ran = await stack.unseal(node.name);
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal((await stack.verify()).code, 0);
    }
  });

  it("says so where the recovery shares are wrong ones, and leaves no rekey behind", async () => {
    const before = await journal();
    const { answer } = before;
    assert.ok(answer);
    const wrong = answer.shares.map((share) => Buffer.from(share, "base64").reverse().toString("base64"));
    await writeKeys(stack.stackDir, { ...before, answer: { ...answer, shares: wrong } });
    await assert.rejects(rekey(asNow, await rotating()), /The stack's shares do not open this Vault/);
    await assert.rejects(generateRoot(await rotating()), /These shares are not this Vault's/);
    const left = await (await leading()).get("sys/rekey-recovery-key/init", stack.token);
    assert.equal(left.started, false);
    await writeKeys(stack.stackDir, before);
  });

  it("is refused to a stack that would unseal it with shares, before anything is sent", async () => {
    const ran = await stack.unseal("vault-0", { seal: undefined, shares: stack.keys.shares, threshold: 3 });
    assertRefused(
      ran,
      "runs with the seal transit",
      "docs/seal.md",
      "pulumi config set vault.seal.type transit",
    );
    const leave = await stack.run("leave", { pods: stack.pods });
    assertRefused(
      leave,
      "the seal of a Vault that is initialised cannot be changed by a setting: its nodes are sealed by transit, and the settings say key shares (shamir)",
      "pulumi config set vault.seal.type transit --stack dev",
    );
    const kept = await stack.run("leave", { pods: stack.pods, seal: { type: "transit", key: "transit" } });
    assert.equal(kept.code, 0, kept.stderr);
  });

  it("is given other recovery shares, of which those of before are no good afterwards", async () => {
    const before = await journal();
    const plan = await planRekey({ shares: 3, threshold: 2 }, await rotating());
    assert.deepEqual(plan, {
      from: { shares: 5, threshold: 3 },
      to: { shares: 3, threshold: 2 },
      ...{ begunAt: undefined, seal: "transit" },
    });
    const rekeyed = await rekey(asNow, await rotating());
    assert.equal(rekeyed.seal, "transit");
    const after = await journal();
    assert.equal(after.seal, "transit");
    assert.notDeepEqual(after.answer?.shares, before.answer?.shares);
    assert.equal(await makesRoot(before.answer?.shares ?? []), false);
    assert.equal(await makesRoot(after.answer?.shares ?? []), true);
    assert.match(said.join("\n"), /5 recovery shares, of which 3 are wanted/);
    for (const share of after.answer?.shares ?? []) assert.ok(!said.join("\n").includes(share));
    assert.equal(JSON.parse(readFileSync(rekeyed.former, "utf8")).seal, "transit");
    const init = await stack.init();
    assert.deepEqual(init.answer.shares, after.answer?.shares);
  });

  for (const [request, nth] of [
    ["PUT /v1/sys/rekey-recovery-key/update", 3],
    ["PUT /v1/sys/rekey-recovery-key/verify", 3],
  ] as const)
    it(`goes on with a rekey that was cut off after ${request} (${nth})`, async () => {
      let left: number = nth;
      const { name, address } = await leading();
      const proxy = await RecordingProxy.before(address, (asked) => asked !== request || --left !== 0);
      const before = (await journal()).answer?.shares;
      try {
        await assert.rejects(rekey(asNow, await rotating({ [name]: proxy.address })), /did not answer/);
      } finally {
        await proxy.end();
      }
      await rekey(asNow, await rotating());
      const shares = (await journal()).answer?.shares ?? [];
      assert.notDeepEqual(shares, before);
      assert.equal(await makesRoot(shares), true);
      stack.keys = { ...stack.keys, shares };
    });

  it("makes a root token from the recovery shares, and rotates its key", async () => {
    const before = (await journal()).answer?.rootToken ?? "";
    await generateRoot(await rotating());
    const { answer, seal } = await journal();
    assert.equal(seal, "transit");
    assert.notEqual(answer?.rootToken, before);
    await assert.rejects(stack.nodes.at(0).get("auth/token/lookup-self", before), /403/);
    stack.keys = { shares: answer?.shares ?? [], rootToken: answer?.rootToken ?? "" };
    const rotated = await rotate(stack.token, await rotating());
    assert.equal(rotated.after.term, rotated.before.term + 1);
    assert.equal((await stack.verify()).code, 0);
  });

  it("never shows a share, a token or the seal's token in what its steps say, their arguments or environment", () => {
    const secrets = [...stack.secrets(), transit.token];
    for (const { stderr, seen } of stack.ran)
      for (const secret of secrets) assert.ok(!stderr.includes(secret) && !seen.includes(secret));
  });

  async function makesRoot(shares: string[]): Promise<boolean> {
    const node = stack.nodes.at(0);
    const { nonce } = await node.send("PUT", "sys/generate-root/attempt", {});
    try {
      let complete: unknown;
      for (const key of shares.slice(0, 3))
        ({ complete } = await node.send("PUT", "sys/generate-root/update", { key, nonce }));
      return complete === true;
    } catch {
      return false;
    } finally {
      await node.send("DELETE", "sys/generate-root/attempt").catch(() => {});
    }
  }
});

describe("a stack that key shares unseal, on a real Vault process", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
  });
  after(async function () {
    await stack?.end(this);
  });

  it("is given no seal by an update, and keeps serving", async () => {
    const ran = await stack.run("leave", {
      pods: stack.pods,
      seal: { type: "transit", key: "transit transit/vault-unseal" },
    });
    assertRefused(
      ran,
      "sealed by key shares (shamir), and the settings say transit transit/vault-unseal",
      "pulumi config rm vault.seal.type --stack dev",
    );
    const unseal = await stack.run("unseal", { pod: "vault-0", seal: "transit" });
    assertRefused(unseal, "vault-0 runs with the seal shamir, and the stack's is transit");
    assert.equal((await stack.verify()).code, 0);
  });

  it("goes on with a seal to which it was migrated by hand; its shares are recovery shares then", async () => {
    const transit = await TransitVault.start();
    try {
      const node = stack.nodes.at(0);
      await node.sealBy(transit.seal());
      await node.restart();
      const waits = await stack.run("unseal", { pod: "vault-0", seal: "transit", timeoutSeconds: 2 });
      assert.equal(waits.code, 1, waits.stderr);
      for (const key of stack.keys.shares.slice(0, 3))
        await node.send("PUT", "sys/unseal", { key, migrate: true });
      const ran = await stack.run("unseal", { pod: "vault-0", seal: "transit" });
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal((await readKeys(stack.stackDir))?.seal, "transit");
      await node.restart();
      assert.equal((await stack.run("unseal", { pod: "vault-0", seal: "transit" })).code, 0);
      assert.equal((await stack.verify()).code, 0);
    } finally {
      await transit.end();
    }
  });
});
