import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../support/authority.ts";
import { TransitVault } from "../support/transit-vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("a seal that is reached over HTTPS, on real Vault processes", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  const caFile = join(folder, "seal-ca.crt");
  const otherFile = join(folder, "other-ca.crt");
  let transit: TransitVault;
  before(async () => {
    const authority = await Authority.make();
    writeFileSync(caFile, authority.caCert);
    writeFileSync(otherFile, (await Authority.make("another authority")).caCert);
    transit = await TransitVault.start(
      await authority.issue({ names: ["transit-0.vault-internal", "127.0.0.1"] }),
    );
  });
  after(async () => {
    await transit?.end();
    rmSync(folder, { recursive: true });
  });

  /** What the stack's pods have in their environment where Vault itself speaks HTTPS: its own authority. */
  const sealed = (more: object) => {
    const { stanza, env } = transit.seal("vault-unseal", more);
    return { seal: { stanza, env: { ...env, VAULT_CACERT: otherFile } } };
  };

  it("unseals a node that is told the seal's authority, though its own is another one", async function () {
    const stack = await VaultStack.start(1, sealed({ tls_ca_cert: caFile }));
    try {
      const init = await stack.init();
      assert.equal(init.code, 0, init.stderr);
      const unseal = await stack.unseal("vault-0");
      assert.equal(unseal.code, 0, unseal.stderr);
      assert.match(unseal.stderr, /its seal \(transit\) has unsealed it/);
    } finally {
      await stack.end(this);
    }
  });

  it("is not trusted by a node that is told nothing: VAULT_CACERT is the authority of the seal, too", async () => {
    await assert.rejects(VaultStack.start(1, sealed({})), /certificate signed by unknown authority/);
  });
});
