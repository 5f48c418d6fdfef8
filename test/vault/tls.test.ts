import assert from "node:assert/strict";
import { certificates } from "../support/certificates.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("a Vault with TLS", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let other: string;

  before(async () => {
    // No IP address in it: the steps and the joining node have to go by the pods' own names.
    const {
      other: another,
      again: _,
      ...tls
    } = await certificates("vault-0.vault-internal,vault-1.vault-internal");
    other = another;
    stack = await VaultStack.start(2, { tls });
  });
  after(async function () {
    await stack?.end(this);
  });

  it("is not spoken to where its certificate is of another authority", async () => {
    assertRefused(await stack.init({ caCert: other, timeoutSeconds: 1 }), /vault-0 to answer.*certificate/s);
  });

  it("is not spoken to where its certificate carries another node's name", async () => {
    const address = stack.nodes.at(0).address;
    const reach = { kind: "direct", addresses: { "vault-7": address } };
    const ran = await stack.run("init", {
      pod: "vault-7",
      shares: 1,
      threshold: 1,
      reach,
      timeoutSeconds: 1,
    });
    assertRefused(ran, "vault-7.vault-internal");
  });

  it("goes from blank nodes to a proved cluster by the same steps", async () => {
    await stack.raise();
    const ran = await stack.verify();
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.answer.peers.length, 2);
  });
});
