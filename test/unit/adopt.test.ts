import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { valueAt } from "../../components/values-file.ts";
import { adoptedText } from "../../operate/adopt/adopted-text.ts";
import { adoptionOf, settled } from "../../operate/adopt/adoption.ts";
import type { Found } from "../../operate/adopt/found.ts";
import { problemsOf } from "../../operate/adopt/look.ts";
import { readNote } from "../../operate/adopt/release-note.ts";
import { stackProblems } from "../../operate/adopt/stack-problems.ts";
import type { Pod } from "../../steps/lib/pod.ts";

const source = { chart: "vault", image: { repository: "hashicorp/vault", tag: "1.21.1" } };
const node = (name: string) => ({
  name,
  pod: {} as Pod,
  store: `uid-of-data-${name}`,
  initialised: true,
  sealed: false,
  seal: "shamir",
  storage: "raft",
  shares: 5,
  threshold: 3,
});
const names = ["vault-0", "vault-1", "vault-2"];
/** The chart's own configuration, shortened. */
const config = (storage = "") =>
  `listener "tcp" {\n  tls_disable = 1\n  address = "[::]:8200"\n}\nstorage "raft" {\n  path = "/vault/data"\n  ${storage}\n}\nservice_registration "kubernetes" {}\n`;
const values = { server: { ha: { enabled: true, raft: { enabled: true, setNodeId: true } } } };
const release = {
  status: "deployed",
  chart: { name: "vault", version: "0.30.0" },
  values: {
    server: {
      ...values.server,
      ha: { ...values.server.ha, replicas: 3 },
      image: { ...source.image, pullPolicy: "Always" },
      dataStorage: { size: "5Gi" },
    },
  },
  defaults: { server: { ha: { raft: { config: config() } } } },
  objects: ["StatefulSet/vault"],
  secrets: ["sh.helm.release.v1.vault.v1"],
};
const whole: Found = {
  release,
  owner: undefined,
  pods: names.map(node),
  peers: names.map((name) => ({ node: name, voter: true })),
  volumes: { data: { size: "5Gi", storageClass: undefined } },
  scheme: "http",
  image: "hashicorp/vault:1.21.1",
};
const withValues = (given: object): Found => ({
  ...whole,
  release: { ...release, values: { ...release.values, ...given } },
});
const found = (more: Partial<Found>) =>
  problemsOf({ ...whole, ...more }, { stack: "old", namespace: "vault", source });

function assertAll(problems: readonly string[], expected: readonly RegExp[]): void {
  for (const words of expected)
    assert.ok(
      problems.some((problem) => words.test(problem)),
      `${words} is missing in:\n${problems.join("\n")}`,
    );
  assert.equal(problems.length, expected.length, problems.join("\n"));
}

describe("a Vault that is to be taken over", () => {
  it("gives the stack its nodes, shares and volumes as they are", () => {
    assert.deepEqual(adoptionOf(whole, "vault").settings, {
      "vault.namespace": "vault",
      "vault.replicas": "3",
      "vault.shares": "5",
      "vault.threshold": "3",
      "vault.tls.enabled": "false",
      "vault.storageSize": "5Gi",
      "vault.storageClass": undefined,
      "raft.performanceMultiplier": "5",
    });
    const fast = { data: { size: "5Gi", storageClass: "fast" } };
    assert.equal(adoptionOf({ ...whole, volumes: fast }, "vault").settings["vault.storageClass"], "fast");
  });

  it("takes away a storage class that the stack's file says and its volumes do not", () => {
    const texts = { "vault.storageClass": "fast", "vault.giveUp": "an-id" };
    const all = settled(texts, adoptionOf(whole, "vault").settings);
    assert.equal(Object.hasOwn(all, "vault.storageClass"), false);
    assert.equal(all["vault.giveUp"], "an-id");
  });

  it("keeps the values that were given to Helm, without what settings decide", () => {
    const { server } = adoptionOf(whole, "vault").values as { server: Record<string, unknown> };
    assert.deepEqual(server.image, { pullPolicy: "Always" });
    assert.equal(Object.hasOwn(server, "dataStorage"), false);
    assert.equal(valueAt({ server }, "server.ha.replicas"), undefined);
    assert.equal(valueAt({ server }, "server.ha.raft.setNodeId"), true);
  });

  it("keeps Vault's configuration, also where that is the chart's own, and its multiplier", () => {
    const key = "server.ha.raft.config";
    assert.equal(valueAt(adoptionOf(whole, "vault").values, key), config());
    const quick = config("performance_multiplier = 1");
    const given = withValues({ server: { ha: { raft: { config: quick } } } });
    const { settings, values } = adoptionOf(given, "vault");
    assert.equal(settings["raft.performanceMultiplier"], "1");
    assert.equal(valueAt(values, key), quick);
  });

  it("is refused for everything that is wrong with it, all at once", () => {
    const [first = node("vault-0"), second = node("vault-1"), third = node("vault-2")] = whole.pods;
    const problems = found({
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
      release: { ...release, objects: ["Deployment/vault-agent-injector"] },
    });
    assertAll(problems, [
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
    ]);
  });

  it("is upgraded in no message to another chart than it has", () => {
    const problems = found({
      image: "hashicorp/vault:1.15.0",
      release: { ...release, objects: ["Deployment/vault-agent-injector"] },
    });
    assertAll(problems, [/--version 0\.30\.0 .*image\.tag=1\.21\.1/, /--version 0\.30\.0 .*injector/]);
  });

  it("is not there where Helm knows no release of that name, or a failed one", () => {
    assertAll(found({ release: undefined }), [/Helm knows no release vault in namespace vault/]);
    assertAll(found({ release: { ...release, status: "failed" } }), [/is failed, not deployed/]);
    const other = { ...release, chart: { name: "bank-vault", version: "1.0.0" } };
    assertAll(found({ release: other }), [/is of the chart bank-vault/]);
  });
});

describe("the stack that goes on with a Vault", () => {
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-adopt-"));
  after(() => rmSync(folder, { recursive: true }));
  const existing = { "cluster.driver": "existing", "cluster.context": "somewhere" };
  const problems = (of: Found, texts: Record<string, string> = {}) =>
    stackProblems(adoptionOf(of, "vault"), { ...existing, ...texts }, of, {
      source,
      namespace: "vault",
      folder,
    });

  it("takes a release that was made by the tutorial, with the chart's own configuration", () => {
    assert.deepEqual(problems(whole), []);
  });

  it("takes the storage path as HashiCorp's tutorial writes it, with a slash at its end", () => {
    const slash = config().replace("/vault/data", "/vault/data/");
    assert.deepEqual(
      problems(
        withValues({
          server: {
            ...values.server,
            ha: { ...values.server.ha, raft: { ...values.server.ha.raft, config: slash } },
          },
        }),
      ),
      [],
    );
  });

  it("refuses values that its steps cannot live with, names Helm's release, and says how they are changed", () => {
    const of = withValues({
      server: { updateStrategyType: "RollingUpdate", ha: { raft: { config: config("retry_join {\n}") } } },
    });
    assertAll(problems(of), [
      /^values of Helm's release: server\.updateStrategyType: "RollingUpdate" cannot be used/,
      /^values of Helm's release: server\.ha\.raft\.config: the storage has retry_join/,
      /helm get values vault[\s\S]*helm upgrade vault hashicorp\/vault --version 0\.30\.0 .*--values values\.yaml/,
    ]);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("refuses what its settings cannot say, before anything is changed", () => {
    const odd = { ...whole, volumes: { data: { size: "5G", storageClass: undefined } } };
    assertAll(problems(odd), [/vault\.storageSize: "5G" does not fit/]);
  });

  it("refuses an audit log where the nodes have no volume for one", () => {
    assertAll(problems(whole, { "audit.enabled": "true" }), [/audit\.enabled: the nodes have no volume/]);
    const audit = { size: "10Gi", storageClass: undefined };
    const of = withValues({ server: { ...values.server, auditStorage: { enabled: true } } });
    assert.deepEqual(problems({ ...of, volumes: { ...of.volumes, audit } }, { "audit.enabled": "true" }), []);
  });
});

describe("what adopting says at its end", () => {
  it("names the pods that run an older template, and what starts them anew", () => {
    const words = adoptedText("old", names, ["vault-0", "vault-2"]);
    assert.match(words, /older template than the release has now: vault-0, vault-2\..*next change/s);
    assert.match(adoptedText("old", names, []), /Each pod is as the release has it/);
  });
});

describe("Helm's note of a release", () => {
  it("is read from base64 within base64 around gzip", () => {
    const note = {
      version: 2,
      info: { status: "deployed" },
      chart: { metadata: { name: "vault", version: "0.30.0" }, values: { ui: {} } },
      config: null,
      manifest: "---\nkind: Service\nmetadata:\n  name: vault\n",
    };
    const packed = Buffer.from(gzipSync(JSON.stringify(note)).toString("base64")).toString("base64");
    const { version, chart } = readNote(packed);
    assert.deepEqual([version, chart.values], [2, { ui: {} }]);
  });
});
