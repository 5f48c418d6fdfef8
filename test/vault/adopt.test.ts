import assert from "node:assert/strict";
import { proveShares } from "../../operate/adopt/prove-shares.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("shares that are handed over, at a real Vault", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let client: (token?: string) => Vault;

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
    assert.equal((await stack.verify({ pods: ["vault-0"] })).code, 0);
    const [{ name, address } = stack.nodes.at(0)] = stack.nodes.nodes;
    const road = await openRoad({
      scheme: "http",
      reach: { kind: "direct", addresses: { [name]: address } },
    });
    client = (token) => new Vault(road, name, { signal: AbortSignal.timeout(50_000) }, token);
  });
  after(async function () {
    await stack?.end(this);
  });

  const prove = (more: object = {}) =>
    proveShares(client(), client, {
      shares: stack.keys.shares,
      threshold: 3,
      rootToken: stack.token,
      ...more,
    });
  const attempt = async () => (await client().rootGeneration()).started;
  const tokens = async () => {
    const { data } = await stack.nodes.at(0).get("auth/token/accessors?list=true", stack.token);
    return (data as { keys: string[] }).keys.length;
  };

  it("are proved, and the token of the initialisation stays the stack's; the one that was made for it is revoked", async () => {
    const before = await tokens();
    assert.equal(await prove(), stack.token);
    assert.equal(await tokens(), before);
    assert.equal(await attempt(), false);
  });

  it("make a root token where nobody has one, or one that was revoked", async () => {
    for (const rootToken of [undefined, "hvs.revokedrevokedrevokedrev"]) {
      const made = await prove({ rootToken });
      assert.notEqual(made, rootToken);
      assert.deepEqual(await client(made).ownPolicies(), ["root"]);
      await client(made).revokeSelf();
    }
  });

  it("of another Vault are refused, nothing is sealed, and no attempt is left behind", async () => {
    const shares = stack.keys.shares.map((share) =>
      Buffer.from(share, "base64").reverse().toString("base64"),
    );
    await assert.rejects(prove({ shares }), (error: Error) => {
      assert.match(error.message, /These shares are not this Vault's: .*nothing is sealed/s);
      return !shares.some((share) => error.message.includes(share));
    });
    assert.equal(await attempt(), false);
    assert.equal((await client().sealStatus()).sealed, false);
  });

  it("are not sent into an attempt of somebody else's, which goes on", async () => {
    await client().beginRootGeneration();
    await assert.rejects(prove(), /Somebody is generating a root token[\s\S]*generate-root -cancel/);
    assert.equal(await attempt(), true);
    await client().cancelRootGeneration();
  });
});
