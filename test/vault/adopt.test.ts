import assert from "node:assert/strict";
import type { Examined } from "../../operate/adopt/examine.ts";
import type { Place } from "../../operate/adopt/found.ts";
import { proveOn } from "../../operate/adopt/prove-on.ts";
import { proveShares, revoke } from "../../operate/adopt/prove-shares.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultStack } from "../support/vault-stack.ts";
import { asVaultTwo } from "../support/vault-two.ts";

describe("shares that are handed over, at a real Vault", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let client: (token?: string) => Vault;

  before(async () => {
    stack = await VaultStack.start(2);
    await stack.raise();
    client = await clientOf("vault-0");
  });
  after(async function () {
    await stack?.end(this);
  });

  /** A node as the command asks it, at its own address or another. */
  async function clientOf(name: string, address?: string) {
    const at = address ?? stack.nodes.nodes.find((node) => node.name === name)?.address ?? "";
    const road = await openRoad({ scheme: "http", reach: { kind: "direct", addresses: { [name]: at } } });
    return (token?: string) => new Vault(road, name, { signal: AbortSignal.timeout(50_000) }, token);
  }
  const prove = (more: object = {}, at = client) =>
    proveShares(at, { shares: stack.keys.shares, threshold: 3, rootToken: stack.token, ...more });
  const attempt = async () => (await client(stack.token).rootGeneration()).started;
  const tokens = async () => {
    const { data } = await stack.nodes.at(0).get("auth/token/accessors?list=true", stack.token);
    return (data as { keys: string[] }).keys.length;
  };
  const wrong = () =>
    stack.keys.shares.map((share) => Buffer.from(share, "base64").reverse().toString("base64"));

  it("are proved, and the token of the initialisation stays the stack's; the one that was made for it is revoked", async () => {
    const before = await tokens();
    assert.deepEqual(await prove(), { rootToken: stack.token, made: false });
    assert.equal(await tokens(), before);
    assert.equal(await attempt(), false);
  });

  it("are proved at a node that does not lead", async () => {
    const standby = await clientOf("vault-1");
    assert.equal((await standby().leader()).is_self, false);
    assert.deepEqual(await prove({}, standby), { rootToken: stack.token, made: false });
  });

  it("make a root token where nobody has one, or one that was revoked, or no root's", async () => {
    const { auth } = (await stack.nodes
      .at(0)
      .send("POST", "auth/token/create", { policies: ["default"] }, stack.token)) as {
      auth: { client_token: string };
    };
    for (const rootToken of [undefined, "hvs.revokedrevokedrevokedrev", auth.client_token]) {
      const proved = await prove({ rootToken });
      assert.equal(proved.made, true);
      assert.notEqual(proved.rootToken, rootToken);
      assert.deepEqual(await client(proved.rootToken).ownPolicies(), ["root"]);
      await revoke(client(proved.rootToken));
    }
  });

  it("of another Vault are refused, nothing is sealed, and no attempt is left behind", async () => {
    await assert.rejects(prove({ shares: wrong() }), (error: Error) => {
      assert.match(error.message, /These shares are not this Vault's: .*nothing is sealed/s);
      return !wrong().some((share) => error.message.includes(share));
    });
    assert.equal(await attempt(), false);
    assert.equal((await client().sealStatus()).sealed, false);
  });

  it("are not called another Vault's where Vault fails for another reason", async () => {
    const failing = (token?: string) =>
      Object.assign(client(token), {
        giveRootShare: () => Promise.reject(new Error("the connection was closed")),
      });
    await assert.rejects(prove({}, failing), /^Error: the connection was closed$/);
    assert.equal(await attempt(), false);
  });

  it("come to nothing where a node is no voter, and the token that was made is revoked then", async () => {
    const [{ address } = { address: "" }] = stack.nodes.nodes;
    const road = await openRoad({
      scheme: "http",
      reach: { kind: "direct", addresses: { "vault-0": address } },
    });
    const pods = [{ name: "vault-0" }, { name: "vault-2" }];
    const examined = { road, found: { pods, peers: undefined } } as unknown as Examined;
    const given = { shares: stack.keys.shares, threshold: 3, rootToken: undefined };
    const place = { namespace: "vault", signal: AbortSignal.timeout(50_000) } as Place;
    const before = await tokens();
    await assert.rejects(
      proveOn(examined, given, place),
      /raft configuration has vault-1, .*\n[\s\S]*vault-2 is no voter/,
    );
    assert.equal(await tokens(), before);
  });

  it("are not sent into an attempt of somebody else's, which goes on", async () => {
    await client().beginRootGeneration();
    await assert.rejects(prove(), /Somebody is generating a root token[\s\S]*generate-root -cancel/);
    assert.equal(await attempt(), true);
    await client().cancelRootGeneration();
  });

  describe("where Vault wants a token for it, as from 2.0 on", () => {
    let two: Awaited<ReturnType<typeof asVaultTwo>>;
    let at: typeof client;
    before(async () => {
      two = await asVaultTwo(stack.nodes.at(0).address);
      at = await clientOf("vault-0", two.address);
    });
    after(() => two?.end());

    it("are proved with the token that was handed over", async () => {
      assert.deepEqual(await prove({}, at), { rootToken: stack.token, made: false });
    });

    it("are not sent without one that is good, and that is what is said", async () => {
      for (const rootToken of [undefined, "hvs.revokedrevokedrevokedrev"])
        await assert.rejects(
          prove({ rootToken }, at),
          /permission denied\. From Vault 2\.0 on, .* No share was sent/s,
        );
      assert.equal(await attempt(), false);
    });

    it("of another Vault are refused there, too, and no attempt is left behind", async () => {
      await assert.rejects(prove({ shares: wrong() }, at), /These shares are not this Vault's/);
      assert.equal(await attempt(), false);
    });
  });
});
