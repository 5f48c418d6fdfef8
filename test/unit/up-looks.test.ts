import assert from "node:assert/strict";
import { unknownReleases } from "../../setup/half-made-releases.ts";
import { losses } from "../../setup/losses.ts";

const urn = (name: string) => `urn:pulumi:dev::vault-ha::some:type::${name}`;

describe("a look at what an update would lose", () => {
  const preview = (...steps: [string, string][]) =>
    JSON.stringify({ steps: steps.map(([op, name]) => ({ op, urn: urn(name) })) });

  it("names what holds Vault's data and is replaced or deleted", () => {
    const changes = preview(
      ["replace", "cluster-create"],
      ["delete-replaced", "vault-release"],
      ["replace", "lifecycle-init-vault-0"],
    );
    assert.deepEqual(losses(changes), ["cluster-create", "vault-release"]);
    assert.deepEqual(losses(preview(["delete", "vault-namespace"])), ["vault-namespace"]);
  });

  it("has nothing against other changes, nor against a preview without any", () => {
    assert.deepEqual(losses(preview(["update", "vault-release"], ["create", "lifecycle-join-vault-3"])), []);
    assert.deepEqual(losses("{}"), []);
  });
});

describe("a look at the Helm releases that a state does not know", () => {
  const state = (...names: string[]) => names.map((name) => ({ urn: urn(name), id: `id-of-${name}` }));

  it("finds each, Vault's in the namespace that the state has", () => {
    assert.deepEqual(unknownReleases(state("cluster-create", "vault-namespace")), [
      { namespace: "ingress-nginx", name: "ingress-nginx" },
      { namespace: "id-of-vault-namespace", name: "vault" },
    ]);
  });

  it("looks for none of Vault before its namespace was made", () => {
    assert.deepEqual(unknownReleases(state("ingress-release")), []);
  });

  it("leaves those alone that the state knows", () => {
    assert.deepEqual(unknownReleases(state("vault-namespace", "vault-release", "ingress-release")), []);
  });
});
