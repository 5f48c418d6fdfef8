import assert from "node:assert/strict";
import { unknownReleases } from "../../setup/half-made-releases.ts";
import { notStarted } from "../../setup/wake-cluster.ts";

const urn = (name: string) => `urn:pulumi:dev::vault-ha::some:type::${name}`;

describe("a look at the Helm releases that a state does not know", () => {
  const state = (...names: string[]) => names.map((name) => ({ urn: urn(name), id: `id-of-${name}` }));

  it("finds each, Vault's in the namespace that the state has", () => {
    assert.deepEqual(unknownReleases(state("cluster-create", "vault-namespace")), [
      { namespace: "ingress-nginx", name: "ingress-nginx" },
      { namespace: "id-of-vault-namespace", name: "vault" },
    ]);
  });

  it("leaves the ingress of a cluster that exists alone: it is somebody else's", () => {
    assert.deepEqual(unknownReleases(state("cluster-provider", "vault-namespace")), [
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

describe("a look at the pods of nodes that were started again", () => {
  const since = new Date("2026-01-01T10:00:00.500Z");
  const pods = (...lines: string[]) => lines.join("\n");

  it("takes a container from before for one that is not started yet: Kubernetes has not looked", () => {
    const seen = pods("worker vault-0 2026-01-01T09:59:59Z", "worker vault-1 2026-01-01T10:00:00Z", "");
    assert.deepEqual(notStarted(seen, ["worker"], since), ["vault-0"]);
  });

  it("waits for pods without a running container, and for the last container of each", () => {
    const seen = pods("worker a ", "worker b 2026-01-01T10:00:09Z 2026-01-01T09:00:00Z");
    assert.deepEqual(notStarted(seen, ["worker"], since), ["a", "b"]);
  });

  it("leaves the pods of other nodes alone", () => {
    assert.deepEqual(notStarted("worker2 vault-2 2026-01-01T09:00:00Z", ["worker"], since), []);
  });
});
