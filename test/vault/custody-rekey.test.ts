import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cancelByHolders, rekeyByHolders } from "../../operate/custody/rekey.ts";
import type { HolderRekeyed } from "../../operate/custody/rekey-shares.ts";
import { makeToken } from "../../operate/custody/token.ts";
import type { Rotating } from "../../operate/rotation/rotating.ts";
import { Giving } from "../../operate/unseal/give.ts";
import { type Keys, readKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { makePerson, type Person } from "../support/pgp-holders.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("new shares for other holders, on a real Vault process", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let present: Person[];
  let coming: Person[];
  let shares: string[];
  const said: string[] = [];

  before(async () => {
    present = await Promise.all(["Ada", "Ben", "Cleo"].map((name) => makePerson(name)));
    coming = await Promise.all(["Dan", "Eve", "Fay", "Gus"].map((name) => makePerson(name)));
  });
  beforeEach(async () => {
    said.length = 0;
    stack = await VaultStack.start(1);
    const holders = { shares: present.map(({ holder }) => holder), rootToken: present[0]?.holder };
    const ran = await stack.init({ shares: 3, threshold: 2, holders });
    assert.equal(ran.code, 0, ran.stderr);
    const { pgp } = await journal();
    shares = await decrypted(present, pgp?.shares.map(({ encrypted }) => encrypted) ?? []);
    assert.equal(await opens(shares.slice(0, 2)), "unsealed");
    const root = (await present[0]?.decrypt(pgp?.rootToken.encrypted ?? "")) ?? "";
    await makeToken(root, await rotating(), { backup: false });
  });
  afterEach(async function () {
    await stack?.end(this);
  });

  const journal = async (): Promise<Keys> => (await readKeys(stack.stackDir)) ?? assert.fail("no journal");
  const decrypted = (people: Person[], messages: string[]) =>
    Promise.all(messages.map((message, at) => people[at]?.decrypt(message) ?? ""));
  const rotating = async (address?: string): Promise<Rotating & Pick<Target, "reach">> => {
    const { reach, ...rest } = stack.target();
    const addresses = address === undefined ? reach.addresses : { "vault-0": address };
    const target = Target.parse({ ...rest, reach: { ...reach, addresses } });
    return {
      ...{ ...target, road: await openRoad(target), pods: stack.pods, timeoutSeconds: 20 },
      ...{ say: (line: string) => void said.push(line), signal: AbortSignal.timeout(50_000) },
    };
  };
  /** One run of the command, with these shares piped into it. */
  const rekey = async (given: string[], address?: string): Promise<HolderRekeyed> => {
    const left = [...given];
    const to = { holders: coming.map(({ holder }) => holder), threshold: 3 };
    return await rekeyByHolders(to, await rotating(address), async () => left.shift());
  };
  const newShares = async (done: HolderRekeyed) => {
    if (done.phase !== "new") return assert.fail(`it is at ${done.phase}`);
    return await decrypted(
      coming,
      done.files.map((file) => readFileSync(file, "utf8")),
    );
  };
  /** What these shares come to at the node. */
  const opens = async (given: string[]) => {
    const waiting = { say: () => {}, signal: AbortSignal.timeout(20_000) };
    const vault = new Vault(await openRoad(Target.parse(stack.target())), "vault-0", waiting);
    const giving = new Giving([vault], waiting);
    for (const share of given) giving.take(share);
    return (await giving.round()).at(-1)?.came;
  };
  const restart = async () => {
    await stack.nodes.at(0).stop();
    await stack.nodes.at(0).start();
  };

  it("come in as many runs as people like, and are good only when enough were given back", async () => {
    assert.deepEqual(await rekey([]), { phase: "present", given: 0, wanted: 2 });
    assert.deepEqual(await rekey([shares[0] ?? "", shares[0] ?? ""]), {
      phase: "present",
      given: 1,
      wanted: 2,
    });
    assert.ok(said.includes("this share was given already"));
    const out = await rekey([shares[2] ?? ""]);
    const fresh = await newShares(out);
    assert.equal(new Set(fresh).size, 4);
    assert.deepEqual((await journal()).pgp?.shares.length, 3, "those of before are the stack's still");
    await rekey([fresh[3] ?? ""]);
    const done = await rekey([fresh[0] ?? "", fresh[2] ?? ""]);
    if (done.phase !== "done") assert.fail(`it is at ${done.phase}`);
    assert.deepEqual([done.shares, done.threshold], [4, 3]);

    const { pgp, threshold, rekey: left, changedAt } = await journal();
    assert.deepEqual([threshold, left], [3, undefined]);
    assert.ok(changedAt, "the next update brings them into the state");
    assert.deepEqual(
      pgp?.shares.map(({ holder }) => holder.name),
      coming.map(({ holder }) => holder.name),
    );
    const former = JSON.parse(readFileSync(done.former, "utf8"));
    assert.equal(former.pgp.shares.length, 3);
    assert.equal(existsSync(join(done.files[0] ?? "", "../new-share.asc")), false);
    await restart();
    assert.equal(await opens(shares), "wrong");
    assert.equal(await opens(fresh.slice(1)), "unsealed");
    for (const secret of [...shares, ...fresh]) assert.ok(!said.join("\n").includes(secret));
  });

  it("are refused where a present share is wrong, and those of before are good still", async () => {
    const wrong = (shares[1] ?? "").replace(/^../, (two) => (two === "00" ? "01" : "00"));
    await assert.rejects(
      rekey([shares[0] ?? "", wrong]),
      /does not take it[\s\S]*shares of before are good still/,
    );
    const fresh = await newShares(await rekey(shares.slice(0, 2)));
    const spoiled = fresh.map((share) => share.replace(/^../, (two) => (two === "00" ? "01" : "00")));
    await assert.rejects(rekey(spoiled.slice(0, 3)), /does not take it/);
    assert.equal((await rekey(fresh.slice(0, 3))).phase, "done");
  });

  it("begin anew where Vault has forgotten them before they were out", async () => {
    await rekey([shares[0] ?? ""]);
    await restart();
    assert.equal(await opens(shares.slice(0, 2)), "unsealed");
    assert.deepEqual(await rekey([shares[0] ?? ""]), { phase: "present", given: 1, wanted: 2 });
    assert.match(said.join("\n"), /never came to new shares; it begins anew/);
  });

  it("are tried where Vault has forgotten them while they were given back, and given up where they are not good", async () => {
    const fresh = await newShares(await rekey(shares.slice(0, 2)));
    await rekey([fresh[0] ?? ""]);
    await restart();
    assert.equal(await opens(shares.slice(0, 2)), "unsealed");
    await assert.rejects(rekey(fresh.slice(0, 3)), /do not open Vault\. Those of before do.*--cancel/s);
    const { nonce = "" } = (await journal()).rekey ?? {};
    assert.equal(await cancelByHolders(nonce, await rotating()), false);
    assert.equal((await journal()).rekey, undefined);
    assert.equal((await rekey([shares[0] ?? ""])).phase, "present");
  });

  it("are found to be good where the answer to the last one was lost", async () => {
    const fresh = await newShares(await rekey(shares.slice(0, 2)));
    await rekey(fresh.slice(0, 2));
    let left = 1;
    const proxy = await RecordingProxy.before(
      stack.nodes.at(0).address,
      (asked) => asked !== "PUT /v1/sys/rekey/verify" || --left !== 0,
    );
    try {
      await assert.rejects(rekey([fresh[2] ?? ""], proxy.address), /did not answer/);
    } finally {
      await proxy.end();
    }
    assert.equal((await journal()).pgp?.shares.length, 3);
    const done = await rekey(fresh.slice(0, 3));
    assert.equal(done.phase, "done");
    assert.equal((await journal()).pgp?.shares.length, 4);
  });

  it("leave a rekey of somebody else alone, which is ended by its nonce", async () => {
    const begun = { secret_shares: 3, secret_threshold: 2 };
    const { token } = await journal();
    const { nonce } = await stack.nodes.at(0).send("PUT", "sys/rekey/init", begun, token);
    await assert.rejects(
      rekey([shares[0] ?? ""]),
      new RegExp(`nonce ${nonce} .*Next: npm run rekey .*--cancel ${nonce}`, "s"),
    );
    assert.equal(await cancelByHolders(String(nonce), await rotating()), true);
    assert.equal((await rekey([shares[0] ?? ""])).phase, "present");
  });
});
