import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { askUnseen } from "../../operate/ask-unseen.ts";
import { makeToken } from "../../operate/custody/token.ts";
import { heldToken, type Rotating } from "../../operate/rotation/rotating.ts";
import { Giving } from "../../operate/unseal/give.ts";
import { Raising } from "../../operate/unseal/raise.ts";
import { type Unseal, unseal } from "../../operate/unseal/unseal.ts";
import { poll } from "../../setup/processes.ts";
import { keysPath, readKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { makePerson, type Person } from "../support/pgp-holders.ts";
import { SecretScan } from "../support/secret-scan.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

/** Each test goes on where the one before it ended, as people do. */
describe("shares in people's hands, on three real Vault processes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let scan: SecretScan;
  let people: Person[];
  let keeper: Person;
  const said: string[] = [];
  /** As each has decrypted it. */
  const shares: string[] = [];
  let root = "";

  const waiting = (seconds = 60) => ({
    say: (line: string) => void said.push(line),
    signal: AbortSignal.timeout(seconds * 1000),
  });
  const target = () => Target.parse(stack.target());
  const road = () => openRoad(target());
  const giving = async () => {
    const way = await road();
    return new Giving(
      stack.pods.map((pod) => new Vault(way, pod, waiting())),
      waiting(),
    );
  };
  const rotating = async (): Promise<Rotating & Pick<Target, "reach">> => ({
    ...{ ...target(), road: await road(), pods: stack.pods, timeoutSeconds: 30 },
    ...waiting(),
  });
  /** One or more of them at one terminal, or with one pipe. */
  const give = async (given: string[], more: Partial<Unseal> = {}) => {
    const left = [...given];
    const work = { stack: "dev", giving: await giving(), next: async () => left.shift(), asks: false };
    return await unseal({ ...work, staySeconds: 0, ...waiting(), ...more });
  };
  const nodeOf = (nodes: { node: string }[], name: string) => nodes.find(({ node }) => node === name);
  const holders = () => ({
    shares: people.map(({ holder }) => holder),
    rootToken: keeper.holder,
  });

  before(async () => {
    people = await Promise.all(["Ada", "Ben", "Cleo", "Dan", "Eve"].map((name) => makePerson(name)));
    keeper = await makePerson("Olga", { type: "rsa" });
    stack = await VaultStack.start(3);
    scan = new SecretScan([stack.nodes.folder]);
  });
  after(async function () {
    scan?.end();
    await stack?.end(this);
  });

  it("are encrypted by Vault at the initialisation: the journal and the answer have nothing that opens it", async () => {
    const ran = await stack.init({ holders: holders() });
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual([ran.answer.shares, ran.answer.rootToken], [[], ""]);
    assert.ok(ran.stderr.includes(people[0]?.holder.fingerprint.slice(-16) ?? "-"));
    const { pgp, answer, token } = (await readKeys(stack.stackDir)) ?? {};
    assert.deepEqual([answer, token], [undefined, undefined]);
    assert.deepEqual(ran.answer.pgp, pgp);
    for (const [at, { holder, encrypted }] of (pgp?.shares ?? []).entries()) {
      assert.equal(holder.fingerprint, people[at]?.holder.fingerprint);
      shares.push((await people[at]?.decrypt(encrypted)) ?? "");
    }
    assert.equal(new Set(shares).size, 5);
    for (const share of shares) assert.match(share, /^[0-9a-f]{66}$/);
    root = await keeper.decrypt(pgp?.rootToken.encrypted ?? "");
    assert.match(root, /^hvs\./);
    await assert.rejects(people[1]?.decrypt(pgp?.shares[0]?.encrypted ?? "") ?? assert.fail());
  });

  it("are answered with again from the journal, also where the run was ended after Vault's answer", async () => {
    const before = await readFile(keysPath(stack.stackDir), "utf8");
    const ran = await stack.init({ holders: { ...holders(), shares: [...holders().shares].reverse() } });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /already initialised at \d{4}-/);
    assert.equal(await readFile(keysPath(stack.stackDir), "utf8"), before);
  });

  it("are waited for by the step unseal, which says at its limit how many there are, and what a holder types", async () => {
    assertRefused(
      await stack.unseal("vault-0", { byHolders: true, timeoutSeconds: 1 }),
      /the holders to unseal vault-0/,
      "shares: 0 of 3",
      /Next: npm run unseal -- --stack dev\n$/,
    );
  });

  it("are counted one by one, from anywhere; the same one twice is told, and counts once", async () => {
    const first = await give([shares[0] ?? ""]);
    assert.deepEqual(nodeOf(first.nodes, "vault-0"), {
      ...{ node: "vault-0", state: "sealed" },
      ...{ progress: 1, threshold: 3 },
    });
    assert.deepEqual([first.good, first.wanted], [true, 2]);
    assert.ok(said.includes("vault-0: 1 of 3 shares"));
    const again = await give([shares[0] ?? "", shares[0] ?? ""]);
    assert.deepEqual([again.good, again.wanted], [true, 2]);
    assert.ok(said.includes("vault-0: has this share already; 1 of 3 shares"));
    assert.ok(said.includes("This share was given already: another one is wanted."));
  });

  it("that are none leave those of the others where they are", async () => {
    const { good, wanted } = await give(["aaaa"]);
    assert.deepEqual([good, wanted], [false, 2]);
    assert.match(said.join("\n"), /vault-0: this is no share of a Vault .*others are there still/);
  });

  it("that are wrong are told when they are enough, and all of them are forgotten", async () => {
    const wrong = (shares[1] ?? "").replace(/^../, (two) => (two === "00" ? "01" : "00"));
    const { good, wanted } = await give([wrong, shares[2] ?? "", shares[3] ?? ""]);
    assert.deepEqual([good, wanted], [false, 3]);
    assert.match(said.at(-1) ?? "", /vault-0: the shares .* do not open it.*forgotten them all: each holder/);
    assert.equal((await stack.nodes.at(0).get("sys/seal-status")).progress, 0);
  });

  it("are not lost where a holder breaks off half way: others go on from there", async () => {
    const stopped = new AbortController();
    const breaksOff = give([], {
      next: async (nodes) => {
        if (nodes[0]?.progress === 0) return shares[0];
        stopped.abort(new Error("Stopped."));
        throw stopped.signal.reason;
      },
      signal: stopped.signal,
    });
    await assert.rejects(breaksOff, /Stopped/);
    const { wanted } = await give([shares[4] ?? ""]);
    assert.equal(wanted, 1);
  });

  it("open the node while the step waits, and it goes on", async () => {
    const step = stack.unseal("vault-0", { byHolders: true });
    await sleep(1000);
    const { nodes, good } = await give([shares[2] ?? ""]);
    assert.equal(good, true);
    assert.equal(nodeOf(nodes, "vault-0") && (nodes[0]?.state ?? ""), "unsealed");
    const ran = await step;
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.answer.clusterId, /^[0-9a-f-]{36}$/);
  });

  it("leave the stack without a token, which the next step waits for", async () => {
    assertRefused(
      await stack.run("token", { pod: "vault-0", timeoutSeconds: 1 }),
      /waited \d+ s for the stack's token/,
      /Next: npm run custody token -- --stack dev\n$/,
    );
  });

  it("have the root token make one of least privilege, and what is no root token makes none", async () => {
    await assert.rejects(
      makeToken("hvs.none", await rotating(), { backup: false }),
      /does not take this token/,
    );
    assert.equal((await readKeys(stack.stackDir))?.token, undefined);
    const step = stack.run("token", { pod: "vault-0" });
    assert.equal((await makeToken(root, await rotating(), { backup: false })).replaces, false);
    const ran = await step;
    assert.equal(ran.code, 0, ran.stderr);
    const keys = await readKeys(stack.stackDir);
    assert.equal(ran.answer.token, keys?.token);
    assert.equal(keys?.changedAt, undefined, "the state has it from the step");
    const { data } = await stack.nodes.at(0).get("auth/token/lookup-self", keys?.token);
    assert.deepEqual((data as { policies: string[] }).policies, ["vault-ha"]);
    stack.keys = { shares: [], rootToken: keys?.token ?? "" };
  });

  it("open the other nodes, too, in one gathering: each joins, and the shares in memory go to it", async () => {
    const raising = new Raising({ target: target(), road: await road(), resources: [] }, waiting());
    const token = async () => await heldToken(await rotating());
    const { nodes, good } = await give([shares[0] ?? "", shares[3] ?? "", shares[1] ?? ""], {
      raising,
      token,
    });
    assert.deepEqual([good, nodes.map(({ state }) => state)], [true, ["unsealed", "unsealed", "unsealed"]]);
  });

  it("need not be asked for by any step afterwards: an update finds everything done, and proves it", async () => {
    const { token } = stack;
    const ran = await stack.update({ byHolders: true, token });
    stack.keys = { shares: [], rootToken: token };
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.answer.peers.length, 3);
    assert.deepEqual(new Set(stack.ran.map(({ code }) => code)), new Set([0, 1]));
  });

  it("stay in a holder's memory where that is wished, for a node that is started again meanwhile", async () => {
    const stopped = new AbortController();
    const stays = give([shares[0] ?? "", shares[1] ?? "", shares[4] ?? ""], {
      ...{ staySeconds: 60, signal: stopped.signal },
    });
    // Somebody who comes before anything is sealed.
    const stay =
      "3 shares stay in memory for 1 min, and go to each node that is sealed meanwhile. Ctrl-C ends that.";
    await poll(async () => said.includes(stay) || undefined, { forMs: 10_000 });
    const ended = assert.rejects(stays, /Enough/);
    await stack.nodes.at(2).stop();
    await stack.nodes.at(2).start();
    const ran = await stack.unseal("vault-2", { byHolders: true });
    assert.equal(ran.code, 0, ran.stderr);
    stopped.abort(new Error("Enough"));
    await ended;
  });
  it("are asked for once more at a terminal, where one was wrong, and nothing of them is shown", async () => {
    await stack.nodes.at(2).stop();
    await stack.nodes.at(2).start();
    const wrong = (shares[0] ?? "").replace(/^../, (two) => (two === "00" ? "01" : "00"));
    const [terminal, shown] = [new PassThrough(), [] as string[]];
    const typed = [wrong, shares[1], shares[2], shares[0], shares[3], shares[4]];
    terminal.write(typed.map((line) => `${line}\r`).join(""));
    const { good, nodes } = await askUnseen(
      (ask) => give([], { asks: true, next: async ([first]) => await ask(`${first?.node}? `) }),
      terminal,
      { write: (text) => shown.push(text) },
    );
    assert.deepEqual([good, nodes[2]?.state], [false, "unsealed"]);
    assert.match(said.join("\n"), /vault-2: the shares that it was given do not open it/);
    for (const line of typed) assert.ok(!shown.join("").includes(line ?? "-"));
  });

  it("come to another token of the stack where its own is not good any more", async () => {
    const former = (await readKeys(stack.stackDir))?.token ?? "";
    await stack.nodes.at(0).send("POST", "auth/token/revoke-self", {}, former);
    assert.equal((await makeToken(root, await rotating(), { backup: false })).replaces, true);
    const keys = await readKeys(stack.stackDir);
    assert.ok(keys?.changedAt, "the next update brings it into the state");
    stack.keys = { shares: [], rootToken: keys?.token ?? "" };
    assert.equal((await stack.verify()).code, 0);
  });

  it("make a root token by hand, for whom it is encrypted, and its holder revokes it", async () => {
    const file = join(stack.nodes.folder, "olga.asc");
    await writeFile(file, keeper.publicKey);
    const leader = stack.nodes.at(0).address;
    const vault = async (args: string[], input = "", env = {}) => {
      const options = { env: { VAULT_ADDR: leader, VAULT_FORMAT: "json", ...env }, input };
      return (await execa("vault", args, options)).stdout;
    };
    const { nonce } = JSON.parse(await vault(["operator", "generate-root", "-init", `-pgp-key=${file}`]));
    let answer = { encoded_token: "" };
    for (const share of shares.slice(0, 3))
      answer = JSON.parse(await vault(["operator", "generate-root", "-nonce", nonce, "-"], share));
    const token = await keeper.decrypt(answer.encoded_token);
    const { data } = await stack.nodes.at(0).get("auth/token/lookup-self", token);
    assert.deepEqual((data as { policies: string[] }).policies, ["root"]);
    await vault(["token", "revoke", "-self"], "", { VAULT_TOKEN: token });
    await assert.rejects(stack.nodes.at(0).get("auth/token/lookup-self", token), /403/);
  });

  it("and the root token are nowhere: no file, no words, no argument, no environment", async () => {
    for (const ran of stack.ran) scan.keep(`${ran.stderr}${ran.stdout}${ran.seen}`);
    scan.keep(said.join("\n"));
    const base64 = shares.map((share) => Buffer.from(share, "hex").toString("base64"));
    assert.deepEqual(await scan.find({ shares: base64, rootToken: root }), []);
    // The journal is where the scan does not look: only the stack's own token is there.
    const journal = await readFile(keysPath(stack.stackDir), "utf8");
    for (const secret of [...shares, ...base64, root]) assert.ok(!journal.includes(secret));
    assert.ok(scan.looked.size > 5);
  });
});
