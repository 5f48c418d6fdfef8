import assert from "node:assert/strict";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

/** A certificate with its authority, and another authority, made by a Vault: no other program is needed for it. */
async function certificates(
  names: string,
): Promise<{ caCert: string; cert: string; key: string; other: string }> {
  const maker = await VaultStack.start(1);
  try {
    await maker.raise();
    // An unsealed node is not yet one that leads.
    assert.equal((await maker.verify()).code, 0);
    const vault = maker.nodes.at(0);
    const call = async (path: string, body: object) =>
      (await vault.send("POST", path, body, maker.token)).data as Record<string, string>;
    const authority = async (mount: string) => {
      await call(`sys/mounts/${mount}`, { type: "pki" });
      const made = await call(`${mount}/root/generate/internal`, { common_name: mount, key_type: "ec" });
      return made.certificate ?? "";
    };
    const caCert = await authority("one");
    await call("one/roles/vault", { allow_any_name: true, key_type: "ec", max_ttl: "1h" });
    const { certificate = "", private_key = "" } = await call("one/issue/vault", {
      common_name: "vault",
      alt_names: names,
      exclude_cn_from_sans: true,
    });
    return { caCert, cert: certificate, key: private_key, other: await authority("other") };
  } finally {
    await maker.end();
  }
}

describe("a Vault with TLS", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let other: string;

  before(async () => {
    // No IP address in it: the steps and the joining node have to go by the pods' own names.
    const { other: another, ...tls } = await certificates("vault-0.vault-internal,vault-1.vault-internal");
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
