import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { planRestore } from "../../operate/restore/plan.ts";
import { restore } from "../../operate/restore/restore.ts";
import { generateRoot } from "../../operate/rotation/generate-root.ts";
import { stackRules } from "../../operate/rotation/policies.ts";
import { rekey } from "../../operate/rotation/rekey.ts";
import { renewStackToken } from "../../operate/rotation/renew.ts";
import { revokeRoot } from "../../operate/rotation/revoke-root.ts";
import { lacking } from "../../operate/rotation/root-api.ts";
import { rotate } from "../../operate/rotation/rotate.ts";
import type { Rotating } from "../../operate/rotation/rotating.ts";
import { readKeys } from "../../steps/lib/keys-file.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { saveSnapshot } from "../../steps/lib/snapshot.ts";
import { snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { VaultStack } from "../support/vault-stack.ts";
import { asVaultTwo } from "../support/vault-two.ts";

const admin = { user: "olga", password: "a long password" };

/** Works on a stack's keys, at the nodes' own addresses or others. */
async function rotatingOn(stack: VaultStack, said: string[] = [], addresses = {}): Promise<Rotating> {
  const { reach, ...rest } = stack.target();
  const target = Target.parse({
    ...rest,
    reach: { ...reach, addresses: { ...reach.addresses, ...addresses } },
  });
  return {
    ...{ ...target, road: await openRoad(target), pods: stack.pods, timeoutSeconds: 30 },
    say: (line) => void said.push(line),
    signal: AbortSignal.timeout(80_000),
  };
}

async function journalOf(stack: VaultStack) {
  const keys = await readKeys(stack.stackDir);
  if (keys?.answer === undefined) assert.fail("no journal with keys");
  return { ...keys, answer: keys.answer };
}

describe("the root token, on a real Vault process", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  const said: string[] = [];
  const policies = async (token: string) =>
    ((await stack.nodes.at(0).get("auth/token/lookup-self", token)).data as { policies: string[] }).policies;
  const login = async () => {
    const path = `auth/userpass/login/${admin.user}`;
    const { auth } = await stack.nodes.at(0).send("POST", path, { password: admin.password });
    return (auth as { client_token: string }).client_token;
  };

  beforeEach(async () => {
    said.length = 0;
    stack = await VaultStack.start(1);
    await stack.raise();
  });
  afterEach(async function () {
    await stack?.end(this);
  });

  it("is revoked when a user has logged in, and the stack goes on with a token that may do less", async () => {
    await revokeRoot(admin, await rotatingOn(stack, said));
    await assert.rejects(policies(stack.token), /403/);
    const { answer, rootRevoked, retiring, changedAt } = await journalOf(stack);
    assert.deepEqual(await policies(answer.rootToken), ["vault-ha"]);
    assert.equal(rootRevoked?.user, admin.user);
    assert.equal(retiring, undefined);
    assert.ok(changedAt);
    assert.ok((await policies(await login())).includes("vault-ha-admin"));
    await assert.rejects(stack.nodes.at(0).get("sys/policies/acl/vault-ha", answer.rootToken), /403/);
    for (const secret of [admin.password, stack.token, answer.rootToken])
      assert.ok(!said.join("\n").includes(secret));
  });

  it("stays good where the user's login does not work, or may not do enough", async () => {
    const node = stack.nodes.at(0);
    await node.send("POST", "sys/auth/userpass", { type: "userpass" }, stack.token);
    await node.send("POST", "auth/userpass/users/olga", { password: "another one" }, stack.token);
    await assert.rejects(
      revokeRoot(admin, await rotatingOn(stack)),
      /olga cannot log in .* root token is good still/,
    );
    await node.send("POST", "auth/userpass/users/olga", { password: admin.password }, stack.token);
    await assert.rejects(
      revokeRoot(admin, await rotatingOn(stack)),
      /olga may not do all that is needed[\s\S]*token_policies=vault-ha-admin$/,
    );
    assert.deepEqual(await policies(stack.token), ["root"]);
    assert.equal((await journalOf(stack)).answer.rootToken, stack.token);
  });

  it("is made from the shares where it was revoked, and the token of before is revoked then", async () => {
    await revokeRoot(admin, await rotatingOn(stack));
    const lesser = (await journalOf(stack)).answer.rootToken;
    const { former } = await generateRoot(await rotatingOn(stack));
    const { answer, rootRevoked } = await journalOf(stack);
    assert.deepEqual(await policies(answer.rootToken), ["root"]);
    assert.equal(rootRevoked, undefined);
    await assert.rejects(policies(lesser), /403/);
    assert.equal(JSON.parse(readFileSync(former, "utf8")).answer.rootToken, lesser);
  });

  it("is made where the stack's token has run out; from Vault 2.0 on with somebody's login", async () => {
    await revokeRoot(admin, await rotatingOn(stack));
    const { answer, ...keys } = await journalOf(stack);
    await stack.nodes.at(0).send("POST", "auth/token/revoke-self", {}, answer.rootToken);
    const two = await asVaultTwo(stack.nodes.at(0).address);
    try {
      const rotating = await rotatingOn(stack, [], { "vault-0": two.address });
      await assert.rejects(generateRoot(rotating), /permission denied\. From Vault 2\.0 on/);
      assert.deepEqual((await journalOf(stack)).answer, answer);
      await generateRoot(rotating, await login());
      const now = await journalOf(stack);
      assert.deepEqual(await policies(now.answer.rootToken), ["root"]);
      assert.deepEqual(now.answer.shares, answer.shares);
      assert.equal(now.threshold, keys.threshold);
    } finally {
      await two.end();
    }
  });

  describe("where it is cut off", () => {
    const broken = async (
      request: string,
      nth: number,
      when: "before" | "after",
      work: (it: Rotating) => Promise<unknown>,
    ) => {
      let left = nth;
      const meet = (now: string) => (asked: string) => now !== when || asked !== request || --left !== 0;
      const proxy = await RecordingProxy.before(stack.nodes.at(0).address, meet("after"), {
        arrived: meet("before"),
      });
      try {
        await assert.rejects(
          rotatingOn(stack, said, { "vault-0": proxy.address }).then(work),
          /did not answer|Somebody/,
        );
        assert.ok(left <= 0, `${request} was asked too seldom`);
      } finally {
        await proxy.end();
      }
    };
    /** The stack's token of the journal is good at any time. */
    const isGood = async () =>
      assert.ok((await policies((await journalOf(stack)).answer.rootToken)).length > 0);

    for (const [request, nth, when] of [
      ["POST /v1/sys/auth/userpass", 1, "after"],
      ["POST /v1/auth/userpass/users/olga", 1, "after"],
      ["POST /v1/auth/userpass/login/olga", 1, "before"],
      ["POST /v1/auth/token/create-orphan", 1, "after"],
      ["POST /v1/auth/token/revoke-self", 1, "after"],
      ["POST /v1/auth/token/revoke-self", 2, "before"],
      ["POST /v1/auth/token/revoke-self", 2, "after"],
    ] as const)
      it(`the revocation is gone on with ${when} ${request} (${nth})`, async () => {
        await broken(request, nth, when, (rotating) => revokeRoot(admin, rotating));
        await isGood();
        const again = rotatingOn(stack, said).then((rotating) => revokeRoot(admin, rotating));
        // The journal has the stack's own token by then: what is left is to revoke the other one.
        if (request.endsWith("revoke-self"))
          await assert.rejects(again, /no root token: it was revoked before/);
        else await again;
        await assert.rejects(policies(stack.token), /403/);
        const { retiring, rootRevoked } = await journalOf(stack);
        assert.deepEqual([retiring, rootRevoked?.user], [undefined, admin.user]);
        await isGood();
      });

    for (const [request, nth, when] of [
      ["PUT /v1/sys/generate-root/update", 2, "before"],
      ["POST /v1/auth/token/revoke-self", 1, "before"],
      ["POST /v1/auth/token/revoke-self", 1, "after"],
    ] as const)
      it(`the making of one is gone on with ${when} ${request} (${nth})`, async () => {
        const { answer } = await journalOf(stack);
        await broken(request, nth, when, (rotating) => generateRoot(rotating));
        await isGood();
        await generateRoot(await rotatingOn(stack, said));
        await assert.rejects(policies(answer.rootToken), /403/);
        assert.equal((await journalOf(stack)).retiring, undefined);
        await isGood();
      });
  });

  it("is not needed for a new encryption key, whose term is shown", async () => {
    await revokeRoot(admin, await rotatingOn(stack));
    const { answer } = await journalOf(stack);
    const looked = await rotate(answer.rootToken, await rotatingOn(stack), false);
    assert.equal(looked.after.term, looked.before.term);
    const { before, after } = await rotate(answer.rootToken, await rotatingOn(stack));
    assert.equal(before.term, looked.before.term);
    assert.equal(after.term, before.term + 1);
  });

  it("leaves a token that is good for a period again when it is renewed, and a root token is not renewed", async () => {
    assert.equal(await renewStackToken(await rotatingOn(stack)), undefined);
    await revokeRoot(admin, await rotatingOn(stack));
    assert.equal(await renewStackToken(await rotatingOn(stack)), 768 * 3600);
    const keys = await journalOf(stack);
    await stack.nodes.at(0).send("POST", "auth/token/revoke-self", {}, keys.answer.rootToken);
    await renewStackToken(await rotatingOn(stack, said));
    assert.match(said.at(-1) ?? "", /could not be renewed[\s\S]*Next: npm run root generate -- --stack dev$/);
  });
});

describe("the token that takes the root token's place, on a cluster of real Vault processes", function () {
  this.timeout(120_000);
  let stack: VaultStack;
  const waiting = () => ({ say: () => {}, signal: AbortSignal.timeout(100_000) });
  before(async () => {
    stack = await VaultStack.start(4);
    await stack.raise(2);
    await revokeRoot(admin, { ...(await rotatingOn(stack)), pods: ["vault-0", "vault-1"] });
    stack.keys = (await journalOf(stack)).answer;
  });
  after(async function () {
    await stack?.end(this);
  });
  const client = async (pod = "vault-0") =>
    new Vault(await openRoad(Target.parse(stack.target())), pod, waiting(), stack.token);
  const done = (ran: { code: number | null; stderr: string }) => assert.equal(ran.code, 0, ran.stderr);

  it("may do what each of its rules says", async () => {
    assert.deepEqual(await lacking(await client(), stackRules), []);
  });

  it("does every step of an update: nodes join, vote, and are verified; the audit log is there; a node leaves", async () => {
    done(await stack.update());
    done(
      await stack.run("audit", {
        pods: stack.pods,
        token: stack.token,
        file: `${stack.nodes.folder}/audit.log`,
      }),
    );
    done(await stack.run("leave", { pods: stack.pods.slice(0, 3) }));
    const left = (await (await client()).raftServers()).map(({ node_id }) => node_id);
    assert.deepEqual(left.toSorted(), ["vault-0", "vault-1", "vault-2"]);
    await (await client()).stepDown();
    done(await stack.verify({ pods: stack.pods.slice(0, 3) }));
  });

  it("has an init that answers with it, so that Pulumi's state gets it", async () => {
    const ran = await stack.init();
    done(ran);
    assert.equal(ran.answer.rootToken, stack.token);
  });

  it("saves a snapshot, restores it, and makes new shares", async () => {
    const pods = stack.pods.slice(0, 3);
    const rotating = { ...(await rotatingOn(stack)), pods };
    const leader = await leaderOf(pods);
    const saved = await saveSnapshot(leader, snapshotFolder(stack.stackDir), "dev", waiting());
    const keys = { shares: stack.keys.shares, rootToken: stack.token, threshold: 3 };
    const target = Target.parse(stack.target());
    const restoring = {
      ...{ ...target, ...rotating, keys, file: saved.file, fromCluster: undefined, timeoutSeconds: 60 },
      restart: async () => assert.fail("no node is to be restarted"),
    };
    assert.equal((await restore(await planRestore(restoring), restoring, undefined)).marker, true);
    assert.equal((await rekey({ shares: undefined, threshold: undefined }, rotating)).shares, 5);
  });

  const leaderOf = async (pods: string[]) => {
    for (const pod of pods) if ((await (await client(pod)).leader()).is_self) return await client(pod);
    throw new Error("nobody leads");
  };
});
