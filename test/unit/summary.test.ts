import assert from "node:assert/strict";
import { readSummary, summaryText } from "../../setup/summary.ts";

describe("the last words of npm run up", () => {
  const outputs = { keysFile: "keys.json", kubeconfigFile: "kubeconfig", peers: [] };
  const text = (more: object) => summaryText(readSummary({ ...outputs, ...more }), "dev", "9 s");

  it("name the file of the authority that clients have to trust", () => {
    const said = text({ vaultAddress: "https://localhost:30000", vaultAuthorityFile: "here/vault-ca.crt" });
    assert.match(said, /Vault stands at https:\S+\n {2}authority of its certificate: here\/vault-ca\.crt /);
  });

  it("name none for a Vault that speaks HTTP", () => {
    assert.doesNotMatch(
      text({ vaultAddress: "http://localhost:30000", vaultAuthorityFile: "" }),
      /authority/,
    );
  });
});
