import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("unseal", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  const wrong = Array.from({ length: 5 }, () => randomBytes(33).toString("base64"));
  const sealStatus = (node: number) => stack.nodes.at(node).get("sys/seal-status");

  before(async () => {
    stack = await VaultStack.start(2);
    await stack.init();
  });
  after(async function () {
    await stack?.end(this);
  });

  it("tells Vault's own words about wrong shares, and leaves none of them in the node", async () => {
    const ran = await stack.unseal("vault-0", { shares: wrong });
    assertRefused(ran, "vault-0 answered PUT /v1/sys/unseal with 400", "do not open vault-0");
    for (const share of wrong) assert.ok(!ran.stderr.includes(share));
    const { sealed, progress } = await sealStatus(0);
    assert.deepEqual({ sealed, progress }, { sealed: true, progress: 0 });
  });

  it("leaves none of the right ones in the node, either, where a later one is no share at all", async () => {
    const ran = await stack.unseal("vault-0", { shares: [...stack.keys.shares.slice(0, 2), "%%%"] });
    assertRefused(ran, "vault-0 answered PUT /v1/sys/unseal with 400");
    assert.equal((await sealStatus(0)).progress, 0);
  });

  it("begins again where a former run left shares in the node", async () => {
    await stack.nodes.at(0).send("PUT", "sys/unseal", { key: wrong[0] });
    const ran = await stack.unseal("vault-0");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /1 of 3 shares were sent before; beginning again/);
  });

  it("sends nothing where the stack has fewer shares than Vault wants", async () => {
    await stack.nodes.at(0).restart();
    const ran = await stack.unseal("vault-0", { shares: stack.keys.shares.slice(0, 2), threshold: 2 });
    assertRefused(ran, "vault-0 wants 3 shares, and the stack has 2");
    assert.equal((await sealStatus(0)).progress, 0);
    assert.equal((await stack.unseal("vault-0")).code, 0);
  });

  it("says of a blank node that cannot join how it is initialised again", async () => {
    const alone = { leader: undefined, token: undefined };
    assertRefused(await stack.unseal("vault-1", alone), "vault-1 is not initialised", "its store is blank");
  });

  it("tells Vault's own words about wrong shares for a node that joins, which then takes the right ones", async () => {
    assert.equal((await stack.join("vault-1")).code, 0);
    assertRefused(
      await stack.unseal("vault-1", { shares: wrong }),
      "PUT /v1/sys/unseal with 500",
      "do not open vault-1",
    );
    const ran = await stack.unseal("vault-1");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await stack.voter("vault-1")).code, 0);
  });

  it("unseals a node that was started again, without joining it once more", async () => {
    await stack.nodes.at(1).restart();
    const joined = await stack.join("vault-1");
    assert.match(joined.stderr, /has joined before/);
    const ran = await stack.unseal("vault-1");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await stack.voter("vault-1")).code, 0);
  });

  it("lets a node join once more that was started again between its join and its unseal", async () => {
    const { nodes, token } = stack;
    await nodes.at(0).send("POST", "sys/storage/raft/remove-peer", { server_id: "vault-1" }, token);
    await nodes.at(1).blank();
    assert.equal((await stack.join("vault-1")).code, 0);
    await nodes.at(1).restart();
    assert.equal((await sealStatus(1)).initialized, false);
    const ran = await stack.unseal("vault-1");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /started again before its join was complete, so it joins once more/);
    assert.equal((await stack.voter("vault-1")).code, 0);
  });

  it("waits for a node that is down, and says at its limit that it did not answer", async () => {
    await stack.nodes.at(1).stop();
    const ran = await stack.unseal("vault-1", { timeoutSeconds: 2 });
    assertRefused(ran, "for vault-1 to answer, and the limit of 2 s is reached", "ECONNREFUSED");
  });
});
