import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { withValue } from "../../components/values-file.ts";
import { settingsOf } from "../../config.ts";
import { stackTexts } from "../../operate/stack-texts.ts";
import { isDevelopment, type Resource, type Rule, type Stack } from "../../policy/rule.ts";
import { keyMaterial } from "../../policy/rules/key-material.ts";
import { oddReplicas } from "../../policy/rules/odd-replicas.ts";
import { pinnedImages } from "../../policy/rules/pinned-images.ts";
import { retainedData } from "../../policy/rules/retained-data.ts";
import { thisMachine } from "../../policy/rules/this-machine.ts";
import { tls } from "../../policy/rules/tls.ts";
import { rules } from "../../policy/rules.ts";
import { isSecret, runProgram } from "../support/program.ts";

/** A stack with these settings; of no settings, the defaults. */
const stack = (name: string, config: Record<string, string> = {}): Stack => {
  const texts = Object.entries(config).map(([key, value]) => [`vault-ha:${key}`, value]);
  return { name, settings: settingsOf(name, Object.fromEntries(texts)) };
};
const existing = { "cluster.driver": "existing", "cluster.context": "fake" };

/** Values of Vault's release as this program makes them, with TLS, and one changed. */
const values = {
  global: { tlsDisable: false },
  server: { image: { repository: "hashicorp/vault", tag: "1.21.1" }, ha: { replicas: 3 } },
};
const release = (key?: string, value?: unknown): Resource => {
  const props = { values: key === undefined ? values : withValue(values, key, value) };
  return { name: "vault-release", props, plain: props };
};

/** That a rule finds one thing, whose words say what, and then how to mend it. */
const assertFound = (found: string[], what: RegExp, mend: RegExp) => {
  assert.equal(found.length, 1, found.join("\n"));
  const [first = "", ...rest] = (found[0] ?? "").split("\n");
  assert.match(first, what);
  assert.match(rest.join("\n"), mend);
};

describe("the policy rule", () => {
  describe("pinned-images", () => {
    const find = (resource: Resource) => pinnedImages.find(resource, stack("prod"));
    const repository = "registry.example:5000/vault";

    it("takes an image by its tag or its digest, also from a registry with a port", () => {
      assert.deepEqual(find(release()), []);
      assert.deepEqual(find(release("server.image", { repository, tag: "2.0.4" })), []);
      const digest = `hashicorp/vault@sha256:${"0".repeat(64)}`;
      assert.deepEqual(find(release("server.extraContainers", [{ name: "a", image: digest }])), []);
    });

    it("refuses latest, no tag and an empty one", () => {
      for (const tag of ["latest", "", null, undefined])
        assertFound(
          find(release("server.image", { repository, tag })),
          tag === "latest" ? /server\.image is \S+:5000\/vault:latest\.$/ : /is \S+:5000\/vault\.$/,
          /npm run setup/,
        );
    });

    it("looks at what else runs in Vault's pods", () => {
      const containers = release("server.extraContainers", [{ name: "a", image: "busybox:latest" }]);
      assertFound(find(containers), /at server\.extraContainers\[0\]\.image is busybox:latest/, /valuesFile/);
    });
  });

  describe("tls", () => {
    const off = release("global.tlsDisable", true);

    it("refuses Vault's release without TLS, also where the chart's default says so", () => {
      for (const resource of [off, release("global", {})])
        assertFound(
          tls.find(resource, stack("prod")),
          /TLS is off/,
          /pulumi config set vault\.tls\.enabled true --stack prod$/,
        );
    });

    it("is content with TLS, and in dev without", () => {
      assert.deepEqual(tls.find(release(), stack("prod")), []);
      assert.deepEqual(tls.find(off, stack("dev")), []);
    });
  });

  describe("retained-data", () => {
    const namespace: Resource = { name: "vault-namespace", props: {}, plain: {} };
    const kept = stack("prod", existing);
    const lost = { ...existing, "teardown.retainData": "false" };
    const deletes = (when: string) =>
      release("server.persistentVolumeClaimRetentionPolicy", { whenDeleted: "Retain", [when]: "Delete" });

    it("refuses, on a cluster that exists, that destroy takes the volumes", () => {
      assertFound(
        retainedData.find(namespace, stack("prod", lost)),
        /takes the namespace vault with all volumes/,
        /pulumi config set teardown\.retainData true --stack prod$/,
      );
    });

    it("refuses volumes that Kubernetes deletes with their pods", () => {
      for (const when of ["whenDeleted", "whenScaled"])
        assertFound(retainedData.find(deletes(when), kept), new RegExp(`${when} is Delete`), /valuesFile/);
    });

    it("is content where they are kept, in dev, and on kind, which takes everything along", () => {
      const everything = [namespace, release(), deletes("whenDeleted")];
      assert.deepEqual(retainedData.find(namespace, kept), []);
      assert.deepEqual(retainedData.find(release(), kept), []);
      for (const content of [stack("dev", lost), stack("prod", { "teardown.retainData": "false" })])
        assert.deepEqual(
          everything.flatMap((resource) => retainedData.find(resource, content)),
          [],
        );
    });
  });

  describe("odd-replicas", () => {
    it("refuses an even number, and names the next odd one", () => {
      for (const replicas of [2, 4])
        assertFound(
          oddReplicas.find(release("server.ha.replicas", replicas), stack("prod")),
          new RegExp(`has ${replicas} `),
          new RegExp(`vault\\.replicas ${replicas + 1} --stack prod$`),
        );
    });

    it("is content with an odd one", () => {
      for (const replicas of [1, 3, 5, 7])
        assert.deepEqual(oddReplicas.find(release("server.ha.replicas", replicas), stack("prod")), []);
    });
  });

  describe("this-machine", () => {
    const creation = (props: object): Resource => ({
      name: "cluster-create",
      props: { ...props },
      plain: {},
    });
    const listening = (address: string) => stack("dev", { "cluster.listenAddress": address });

    it("refuses ports on every address, however that is written, also before the step's input is known", () => {
      for (const address of ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0", "::ffff:0.0.0.0"])
        assertFound(
          thisMachine.find(creation({}), listening(address)),
          new RegExp(`ports 80, 443, 30000, 30001 are mapped on ${address} `),
          /pulumi config set cluster\.listenAddress 127\.0\.0\.1 --stack dev$/,
        );
    });

    it("looks at what the step is told, once that is known: a mapping without an address, and the API", () => {
      const stdin = (networking: string, mapping: string) =>
        creation({
          stdin: JSON.stringify({ config: `${networking}\nnodes: [{extraPortMappings: [${mapping}]}]` }),
        });
      const find = (networking: string, mapping: string) =>
        thisMachine.find(stdin(networking, mapping), listening("127.0.0.1"));
      assertFound(find("", "{containerPort: 80}"), /ports 80 are mapped on 0\.0\.0\.0 /, /config set/);
      assertFound(
        find("networking: {apiServerAddress: 0.0.0.0}", ""),
        /The Kubernetes API listens on 0\.0\.0\.0/,
        /git checkout/,
      );
      assert.deepEqual(find("", "{containerPort: 80, listenAddress: 127.0.0.1}"), []);
    });

    it("is content with an address of the machine's own", () => {
      for (const address of ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::"])
        assert.deepEqual(thisMachine.find(creation({}), listening(address)), []);
    });
  });

  describe("key-material", () => {
    const find = (plain: Record<string, unknown>) =>
      keyMaterial.find({ name: "any", props: plain, plain }, stack("prod"));
    const pem = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA==\n-----END EC PRIVATE KEY-----\n";
    const share = "tTkqGNO3yZm8VQ1gSmE2bK5xEAcXhU0DvJ7oLfRw9Pi4";
    const found: Record<string, [kind: RegExp, text: string]> = {
      "a share": [/a key share/, share],
      "an undivided key": [/a key share/, `${share.slice(0, 43)}=`],
      "a share in hex": [/a key share/, "0f".repeat(33)],
      "a share inside of JSON": [/a key share/, JSON.stringify(JSON.stringify({ shares: [share] }))],
      "a token": [/a token/, "hvs.CAESIJ1-x_2345678901234567890"],
      "a batch token": [/a token/, "token=hvb.AAAAAQJz-x_2345678901234567890"],
      "a token of before 1.10": [/a token/, "s.8f2kLmN0pQrStUvWxYz12345"],
      "a private key": [/a private key/, pem],
      "a private key in base64": [/a private key/, `key: ${Buffer.from(pem).toString("base64")}`],
    };

    for (const [what, [kind, text]] of Object.entries(found))
      it(`finds ${what}, names its place, and does not repeat it`, () => {
        const texts = find({ deep: [{ er: text }] });
        assertFound(texts, kind, /pulumi\.secret/);
        assert.match(texts[0] ?? "", /output deep\[0\]\.er looks like/);
        assert.ok(!texts[0]?.includes(text.slice(0, 20)));
      });

    it("lets everything else be: certificates, ids, digests, addresses, paths", () => {
      const certificate = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUJx0\n-----END CERTIFICATE-----\n";
      for (const text of [
        certificate,
        Buffer.from(certificate).toString("base64"),
        "a".repeat(40),
        "067b26c9c0a364da9b77067b26c9c0a364da9b77067b26c9c0a364da9b77ffff",
        `sha256:${"0f".repeat(32)}`,
        "8f14e45f-ceea-467f-a8f1-0123456789ab",
        "https://vault-0.vault-internal:8201/v1/sys/health",
        // 44 characters, as a share.
        "/Users/anna/projects/vault/local/stacks/dev1",
        "exec node steps/unseal.ts",
        "lifecycle-unseal-vault-0 unsealed with 3 of 5 shares",
      ])
        assert.deepEqual(find({ text }), [], text);
    });
  });
});

describe("the policy pack's rules", () => {
  it("are advisory in dev and in stacks of its kind, and nowhere else", () => {
    const names = ["dev", "dev-anna", "developer", "ci", "prod", "other", "prod-dev", ""];
    assert.deepEqual(names.filter(isDevelopment), ["dev", "dev-anna"]);
  });

  it("are described in docs/policy.md, in their order", () => {
    const page = readFileSync("docs/policy.md", "utf8");
    const described = [...page.matchAll(/^### `(.*)`/gm)].map(([, name]) => name);
    assert.deepEqual(
      described,
      rules.map(({ name }) => name),
    );
  });

  /** What rules for inputs say of all that the program declares, as `rule: text`. */
  const judged = async (judge: Stack, config: Record<string, string>, preview: boolean) => {
    const declared = [...(await runProgram({ config, preview })).values()];
    return rules.flatMap((rule) =>
      declared
        .filter(({ name }) => rule.of?.includes(name))
        .flatMap(({ name, inputs }) => findIn(rule, name, inputs, judge)),
    );
  };
  const findIn = (rule: Rule, name: string, inputs: Record<string, unknown>, judge: Stack) => {
    const props = Object.fromEntries(
      Object.entries(inputs)
        .map(([key, held]) => [key, isSecret(held) ? (held as { value: unknown }).value : held])
        .filter(([, held]) => held !== unknown),
    );
    return rule.find({ name, props, plain: {} }, judge).map((text) => `${rule.name}: ${text}`);
  };
  /** Stands for what is not known yet, on the wire. */
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

  for (const name of ["dev", "ci", "prod"])
    it(`find nothing in the stack ${name} as its file has it, at a first preview and later`, async () => {
      const texts = Object.entries(stackTexts(name) ?? {});
      const config = Object.fromEntries(texts.map(([key, value]) => [key.replace("vault-ha:", ""), value]));
      // The mocked cluster's own.
      const { "cluster.context": _, ...given } = config;
      for (const preview of [true, false])
        assert.deepEqual(await judged(stack(name, config), given, preview), []);
    });

  it("find in what the program declares, at a first preview and later, what its settings allow", async () => {
    const onKind = { "vault.tls.enabled": "false", "cluster.listenAddress": "0.0.0.0" };
    const onExisting = { "cluster.driver": "existing", "teardown.retainData": "false" };
    const namesOf = (found: string[]) => found.map((text) => text.split(":")[0]);
    for (const preview of [true, false]) {
      assert.deepEqual(namesOf(await judged(stack("ci", onKind), onKind, preview)), ["tls", "this-machine"]);
      const judge = stack("prod", { ...existing, ...onExisting });
      assert.deepEqual(namesOf(await judged(judge, onExisting, preview)), ["retained-data"]);
    }
  });
});
