import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { settingsOf } from "../../config.ts";
import { parseKeys } from "../../operate/adopt/given-keys.ts";
import { adoptionOf, type Found } from "../../operate/adopt/look.ts";
import { readNote } from "../../operate/adopt/release-note.ts";
import type { Pod } from "../../steps/lib/pod.ts";

const source = { chart: "vault", image: { repository: "hashicorp/vault", tag: "1.21.1" } };
const settings = settingsOf("old", {
  "vault-ha:cluster.driver": "existing",
  "vault-ha:cluster.context": "somewhere",
});
const node = (name: string) => ({
  name,
  pod: {} as Pod,
  initialised: true,
  sealed: false,
  storage: "raft",
  threshold: 3,
});
const names = ["vault-0", "vault-1", "vault-2"];
const whole: Found = {
  release: {
    status: "deployed",
    chart: "vault-0.30.0",
    values: {
      server: { ha: { enabled: true, replicas: 3 }, image: source.image, resources: { limits: {} } },
    },
    objects: ["StatefulSet/vault"],
    secrets: ["sh.helm.release.v1.vault.v1"],
  },
  owner: undefined,
  pods: names.map(node),
  peers: names.map((name) => ({ node: name, voter: true })),
  volume: { size: "5Gi", storageClass: "standard" },
  scheme: "http",
  image: "hashicorp/vault:1.21.1",
};
const problemsOf = (more: Partial<Found>) =>
  adoptionOf({ ...whole, ...more }, settings, "old", source).problems;

describe("a Vault that is to be taken over", () => {
  it("gives the stack its size, its nodes and its own values, without what settings decide", () => {
    const { adoption, problems } = adoptionOf(whole, settings, "old", source);
    assert.deepEqual(problems, []);
    assert.deepEqual(adoption.settings, {
      "vault.namespace": "vault",
      "vault.replicas": "3",
      "vault.tls.enabled": "false",
      "vault.storageSize": "5Gi",
    });
    assert.deepEqual(adoption.values, { server: { ha: { enabled: true }, resources: { limits: {} } } });
  });

  it("is refused for everything that is wrong with it, all at once", () => {
    const [first = node("vault-0"), second = node("vault-1"), third = node("vault-2")] = whole.pods;
    const problems = problemsOf({
      owner: "prod",
      scheme: "https",
      image: "hashicorp/vault:1.15.0",
      pods: [
        { ...first, sealed: true },
        { ...second, initialised: false },
        { ...third, storage: "file" },
      ],
      peers: [
        { node: "vault-0", voter: true },
        { node: "vault-1", voter: false },
        { node: "a-uuid", voter: true },
      ],
      release: whole.release && { ...whole.release, objects: ["Deployment/vault-agent-injector"] },
    });
    for (const words of [
      /belongs to the stack prod/,
      /speaks HTTPS/,
      /the pods run hashicorp\/vault:1\.15\.0, and this program's release hashicorp\/vault:1\.21\.1/,
      /vault-0 is sealed/,
      /vault-1 is not initialised/,
      /vault-2 keeps its data in file/,
      /has a-uuid, which is the name of no pod/,
      /vault-1 is no voter/,
      /vault-2 is no voter/,
      /has the injector/,
    ])
      assert.ok(
        problems.some((problem) => words.test(problem)),
        `${words}:\n${problems.join("\n")}`,
      );
    assert.equal(problems.length, 10);
  });

  it("is not there where Helm knows no release of that name, or a failed one", () => {
    assert.match(problemsOf({ release: undefined }).join(), /Helm knows no release vault in namespace vault/);
    const failed = whole.release && { ...whole.release, status: "failed" };
    assert.match(problemsOf({ release: failed }).join(), /is failed, not deployed/);
  });
});

describe("keys that are handed over", () => {
  const printed = { unseal_keys_b64: ["SHARE-ONE", "SHARE-TWO"], unseal_threshold: 2, root_token: "" };

  it("are what vault operator init prints, with or without a root token", () => {
    const { shares, threshold, rootToken } = parseKeys(JSON.stringify(printed), "usage");
    assert.deepEqual([shares.length, threshold, rootToken], [2, 2, undefined]);
  });

  it("are refused without a word of them where they are something else, or too few", () => {
    for (const given of [
      "SHARE-ONE\nSHARE-TWO",
      JSON.stringify({ ...printed, unseal_threshold: "SHARE-ONE" }),
    ])
      assert.throws(
        () => parseKeys(given, "usage"),
        (error: Error) => !error.message.includes("SHARE") && error.message.endsWith("usage"),
      );
    assert.throws(
      () => parseKeys(JSON.stringify({ ...printed, unseal_threshold: 3 }), "usage"),
      /2 shares came on standard input, and 3 are needed/,
    );
  });
});

describe("Helm's note of a release", () => {
  it("is read from base64 within base64 around gzip", () => {
    const release = {
      version: 2,
      info: { status: "deployed" },
      chart: { metadata: { name: "vault", version: "0.30.0" } },
      config: null,
      manifest: "---\nkind: Service\nmetadata:\n  name: vault\n",
    };
    const packed = Buffer.from(gzipSync(JSON.stringify(release)).toString("base64")).toString("base64");
    assert.equal(readNote(packed).version, 2);
  });
});
