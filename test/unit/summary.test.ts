import assert from "node:assert/strict";
import { readSummary, summaryText } from "../../setup/summary.ts";

describe("the last words of npm run up", () => {
  const outputs = { keysFile: "keys.json", kubeconfigFile: "kubeconfig", peers: [] };
  const text = (more: object) => summaryText(readSummary({ ...outputs, ...more }), "dev", "9 s");

  it("name the file of the authority that clients have to trust", () => {
    const said = text({ vaultAddress: "https://localhost:30000", vaultAuthorityFile: "here/vault-ca.crt" });
    assert.match(said, /Vault stands at https:\S+\n {2}authority of its certificate: here\/vault-ca\.crt /);
  });

  it("name the shares by what they are: key shares, or recovery shares of a Vault that unseals itself", () => {
    const at = { vaultAddress: "http://localhost:30000", vaultAuthorityFile: "" };
    assert.match(text(at), /token and key shares[\s\S]*stack output shares --show-secrets/);
    const sealed = text({ ...at, recoveryShares: ["hidden"] });
    assert.match(sealed, /token and recovery shares[\s\S]*stack output recoveryShares --show-secrets/);
    assert.doesNotMatch(sealed, /hidden/);
    assert.doesNotMatch(
      JSON.stringify(readSummary({ ...outputs, ...at, recoveryShares: ["hidden"] })),
      /hidden/,
    );
  });

  it("name none for a Vault that speaks HTTP", () => {
    assert.doesNotMatch(
      text({ vaultAddress: "http://localhost:30000", vaultAuthorityFile: "" }),
      /authority/,
    );
  });

  it("say how to reach a Vault inside a cluster that exists, and of another stack how it is taken down", () => {
    const inside = { vaultAddress: "https://vault.secrets.svc:8200", vaultAuthorityFile: "" };
    const said = summaryText(readSummary({ ...outputs, ...inside }), "prod", "9 s");
    assert.match(
      said,
      /kubectl --kubeconfig kubeconfig --namespace secrets port-forward service\/vault 8200:8200/,
    );
    assert.match(said, /npm run down -- --stack prod/);
    assert.doesNotMatch(
      text({ vaultAddress: "http://localhost:30000", vaultAuthorityFile: "" }),
      /port-forward/,
    );
  });
});
