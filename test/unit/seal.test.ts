import assert from "node:assert/strict";
import { valueAt } from "../../components/values-file.ts";
import { sealIn } from "../../components/vault-seal.ts";
import { vaultValues } from "../../components/vault-values.ts";
import { readSettings } from "../../config.ts";
import { pods } from "../../operate/doctor/checks/pods.ts";
import { seal as sealCheck } from "../../operate/doctor/checks/seal.ts";
import { selfUnseal } from "../../operate/doctor/checks/self-unseal.ts";
import { diagnose } from "../../operate/doctor/diagnosis.ts";
import { explainedSteps } from "../../operate/explain/steps.ts";
import { statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import { type SealType, sealKinds, sealSettings } from "../../settings/seals.ts";
import { loadSources } from "../../sources.ts";
import { sealWords } from "../../steps/lib/self-unseal.ts";
import { evidenceOf, findings, podSeen, standby } from "../support/evidence.ts";
import { change, judged, running } from "../support/plans.ts";
import { type Registered, runProgram } from "../support/program.ts";
import { stateOf } from "../support/subject.ts";

/** Right settings of each seal, with what is secret in a Secret. */
const right: Record<SealType, Record<string, string>> = {
  transit: {
    address: "https://other-vault:8200",
    mount_path: "transit/",
    key_name: "vault-unseal",
    tls_ca_cert: "/vault/seal/ca.crt",
    secret: "vault-seal",
  },
  awskms: { region: "eu-central-1", kms_key_id: "alias/vault-unseal", secret: "aws" },
  azurekeyvault: {
    tenant_id: "46646709-b63e-4747-be42-516edeaf1e14",
    client_id: "03dc33fc-16d9-4b77-8152-3ec568f8af6e",
    vault_name: "hc-vault",
    key_name: "vault-key",
    secret: "azure",
  },
  gcpckms: {
    project: "my-project",
    region: "global",
    key_ring: "vault",
    crypto_key: "vault-key",
    credentials: "/vault/seal/credentials.json",
    secret: "gcp",
  },
};
const types = Object.keys(right) as SealType[];
const texts = (type: string, of: Record<string, string>): Record<string, string> => ({
  "vault.seal.type": type,
  ...Object.fromEntries(Object.entries(of).map(([name, value]) => [`vault.seal.${name}`, value])),
});
const problemsOf = (given: Record<string, string>) => readSettings(given).problems;
const image = { repository: "hashicorp/vault", tag: "1.21.1" };
const valuesOf = (type: SealType) => {
  const { settings, problems } = readSettings(texts(type, right[type]));
  assert.deepEqual(problems, []);
  const base = { replicas: 3, storageSize: "10Gi", image, performanceMultiplier: 5 };
  const made = vaultValues({ ...base, seal: settings?.vault.seal });
  assert.deepEqual(made.problems, []);
  return made.values;
};
const configOf = (type: SealType) => valueAt(valuesOf(type), "server.ha.raft.config") as string;

describe("the settings of a seal", () => {
  for (const type of types) {
    it(`are taken for ${type}, and each that it needs is missed by its name`, () => {
      const given = texts(type, right[type]);
      const seal = readSettings(given).settings?.vault.seal;
      const { secret, ...parameters } = right[type];
      assert.deepEqual(seal, { type, secret, parameters });
      for (const name of sealKinds[type].needs) {
        const { [`vault.seal.${name}`]: _, ...rest } = given;
        assert.deepEqual(problemsOf(rest), [
          `vault.seal.${name}: the seal ${type} (vault.seal.type) needs it.\n    pulumi config set vault.seal.${name} <value>`,
        ]);
      }
    });

    it(`of other seals are refused for ${type}, each by its name`, () => {
      const own = [...sealKinds[type].needs, ...sealKinds[type].takes];
      const strange = Object.keys(sealSettings)
        .map((key) => key.slice("vault.seal.".length))
        .filter((name) => !["type", "secret", ...own].includes(name));
      assert.ok(strange.length > 5);
      const values = Object.fromEntries(strange.map((name) => [name, valueFor(name)]));
      assert.deepEqual(
        problemsOf(texts(type, { ...right[type], ...values })).sort(),
        strange
          .map(
            (name) =>
              `vault.seal.${name}: the seal ${type} (vault.seal.type) does not use it.\n    pulumi config rm vault.seal.${name}`,
          )
          .sort(),
      );
    });
  }

  const valueFor = (name: string) =>
    ["address", "endpoint"].includes(name)
      ? "https://host"
      : ["disable_renewal", "tls_skip_verify"].includes(name)
        ? "true"
        : "/some";

  it("know every parameter that a seal has, and none that no seal has", () => {
    const known = Object.keys(sealSettings).map((key) => key.slice("vault.seal.".length));
    const used = new Set(types.flatMap((type) => [...sealKinds[type].needs, ...sealKinds[type].takes]));
    assert.deepEqual(known.filter((name) => !used.has(name)).sort(), ["secret", "type"]);
    assert.deepEqual(
      [...used].filter((name) => !known.includes(name)),
      [],
    );
  });

  it("want a Secret where Vault cannot do without: a transit's token, a file that a setting names", () => {
    const { secret: _, ...transit } = right.transit;
    assert.match(
      problemsOf(texts("transit", transit)).join(),
      /^vault\.seal\.secret: .* a Secret with the keys VAULT_TOKEN, ca\.crt/,
    );
    const { secret: __, ...gcp } = right.gcpckms;
    assert.match(problemsOf(texts("gcpckms", gcp)).join(), /a Secret with the key credentials\.json/);
    const { secret: ___, ...aws } = right.awskms;
    assert.deepEqual(problemsOf(texts("awskms", aws)), []);
  });

  it("are refused without a seal, and a seal that does not exist with those that do", () => {
    assert.deepEqual(problemsOf({ "vault.seal.region": "x", "vault.seal.secret": "y" }), [
      "vault.seal.secret: there is no seal (vault.seal.type), so nothing uses it.\n    pulumi config rm vault.seal.secret",
      "vault.seal.region: there is no seal (vault.seal.type), so nothing uses it.\n    pulumi config rm vault.seal.region",
    ]);
    assert.match(
      problemsOf({ "vault.seal.type": "pkcs11" }).join(),
      /takes transit, awskms, azurekeyvault or gcpckms/,
    );
  });

  it("have every problem at once, and never show what was set", () => {
    const wrong = {
      ...texts("transit", { ...right.transit, address: "hvs.secret-one", disable_renewal: "hvs.secret-two" }),
      "vault.seal.token": "hvs.secret-three",
      "vault.seal.region": "hvs.secret-four",
    };
    const problems = problemsOf(wrong);
    assert.deepEqual(problems.map((problem) => problem.split(":")[0]).sort(), [
      "vault.seal.address",
      "vault.seal.disable_renewal",
      "vault.seal.region",
      "vault.seal.token",
    ]);
    assert.doesNotMatch(problems.join("\n"), /secret-/);
    assert.match(problems.join("\n"), /put another one into the Secret .* under the key VAULT_TOKEN/);
  });

  for (const [name, key] of [
    ["access_key", "AWS_ACCESS_KEY_ID"],
    ["secret_key", "AWS_SECRET_ACCESS_KEY"],
    ["client_secret", "AZURE_CLIENT_SECRET"],
  ])
    it(`refuse ${name}, and say that it belongs into the Secret as ${key}`, () => {
      const [problem = ""] = problemsOf({ [`vault.seal.${name}`]: "hidden" });
      assert.match(problem, new RegExp(`^vault\\.seal\\.${name}: it is secret, .*under the key ${key}`));
      assert.doesNotMatch(problem, /hidden/);
    });

  for (const [name, value] of [
    ["address", "other-vault:8200"],
    ["address", "https://user@other-vault"],
    ["mount_path", "transit unseal"],
    ["key_name", 'a" }'],
    ["tls_ca_cert", "ca.crt"],
    ["tls_skip_verify", "yes"],
  ] as const)
    it(`refuse ${JSON.stringify(value)} as ${name}`, () => {
      const problems = problemsOf(texts("transit", { ...right.transit, [name]: value }));
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(
        problems[0] ?? "",
        new RegExp(`^vault\\.seal\\.${name}: what is set does not fit; it takes`),
      );
    });

  it("want the authority of an HTTPS transit where the nodes have one of their own, and not where they speak HTTP", () => {
    const { tls_ca_cert: _, ...without } = right.transit;
    assert.match(
      problemsOf(texts("transit", without)).join(),
      /^vault\.seal\.tls_ca_cert: this stack's nodes/,
    );
    const http = { ...texts("transit", without), "vault.tls.enabled": "false" };
    assert.deepEqual(problemsOf(http), []);
  });
});

describe("a seal in Vault's values", () => {
  it("is a stanza of its own behind the configuration, with Vault's own names", () => {
    assert.ok(
      configOf("transit").endsWith(
        '\nseal "transit" {\n  address = "https://other-vault:8200"\n  mount_path = "transit/"\n  key_name = "vault-unseal"\n  tls_ca_cert = "/vault/seal/ca.crt"\n}\n',
      ),
      configOf("transit"),
    );
    for (const type of types) {
      const { secret: _, ...parameters } = right[type];
      for (const [name, value] of Object.entries(parameters))
        assert.ok(configOf(type).includes(`\n  ${name} = ${JSON.stringify(value)}\n`), name);
    }
  });

  it("is read again from there, with its key", () => {
    assert.deepEqual(
      types.map((type) => sealIn(configOf(type))),
      [
        { type: "transit", key: "transit transit/vault-unseal" },
        { type: "awskms", key: "awskms alias/vault-unseal" },
        { type: "azurekeyvault", key: "azurekeyvault hc-vault/vault-key" },
        { type: "gcpckms", key: "gcpckms my-project/global/vault/vault-key" },
      ],
    );
    assert.deepEqual(sealIn('seal "transit" {\n disabled = "true"\n}'), { type: "shamir", key: "shamir" });
    assert.equal(sealIn('seal "pkcs11" {}'), undefined);
    assert.equal(sealIn("seal {"), undefined);
  });

  it("has the pods' login by the Secret's name: environment variables, and the files that settings name", () => {
    const env = (type: SealType) => valueAt(valuesOf(type), "server.extraSecretEnvironmentVars");
    assert.deepEqual(env("transit"), [
      { envName: "VAULT_TOKEN", secretName: "vault-seal", secretKey: "VAULT_TOKEN" },
    ]);
    assert.deepEqual(
      (env("awskms") as { envName: string }[]).map(({ envName }) => envName),
      ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    );
    assert.equal(env("gcpckms"), undefined);
    const volumes = (type: SealType) => valueAt(valuesOf(type), "server.volumes");
    assert.deepEqual(volumes("transit"), [
      {
        name: "vault-seal",
        secret: { secretName: "vault-seal", items: [{ key: "ca.crt", path: "ca.crt" }] },
      },
    ]);
    assert.deepEqual(valueAt(valuesOf("gcpckms"), "server.volumeMounts"), [
      { name: "vault-seal", mountPath: "/vault/seal", readOnly: true },
    ]);
    assert.equal(volumes("awskms"), undefined);
  });
});

describe("the program with a seal", () => {
  const config = { ...texts("transit", right.transit) };
  const stdin = (resource: Registered | undefined) => JSON.stringify(resource?.inputs.stdin ?? "");

  it("sends no share to a step that waits for the seal, and has no container as a fact", async () => {
    const resources = await runProgram({ config });
    for (const name of ["lifecycle-unseal-vault-0", "lifecycle-unseal-vault-2", "lifecycle-rollout"]) {
      assert.match(stdin(resources.get(name)), /\\"seal\\":\\"transit\\"/);
      assert.doesNotMatch(stdin(resources.get(name)), /shares/);
      assert.equal((resources.get(name)?.inputs.environment as { CONTAINER?: string })?.CONTAINER, undefined);
    }
    assert.match(stdin(resources.get("lifecycle-init-vault-0")), /\\"seal\\":\\"transit\\"/);
    const verify = resources.get("lifecycle-verify")?.inputs.environment as Record<string, string>;
    assert.deepEqual(Object.keys(verify), ["VAULT"]);
  });

  it("waits for the Secret before the release, and has a step that refuses another seal before it, too", async () => {
    const resources = await runProgram({ config });
    const release = resources.get("vault-release");
    assert.ok(release?.dependsOn.includes("vault-seal") && release.dependsOn.includes("vault-leave"));
    assert.match(stdin(resources.get("vault-seal")), /VAULT_TOKEN.*ca\.crt/);
    assert.deepEqual(resources.get("vault-leave")?.inputs.environment, {
      PODS: "vault-0 vault-1 vault-2",
      SEAL: "transit transit/vault-unseal",
    });
  });

  it("has no Secret where the cloud gives the pods an identity, and nothing of it where key shares unseal", async () => {
    const { secret: _, ...aws } = right.awskms;
    assert.equal((await runProgram({ config: texts("awskms", aws) })).get("vault-seal"), undefined);
    const without = await runProgram();
    assert.doesNotMatch(
      stdin(without.get("vault-leave")) + stdin(without.get("lifecycle-init-vault-0")),
      /seal/,
    );
  });

  it("has each of its steps explained, with recovery shares and without an unseal to type", () => {
    const { settings } = readSettings(config);
    assert.ok(settings);
    const steps = explainedSteps("prod", settings, loadSources());
    const all = steps.flatMap(({ byHand }) => byHand).join("\n");
    assert.match(all, /operator init -recovery-shares=5 -recovery-threshold=3/);
    assert.doesNotMatch(all, /operator unseal/);
    assert.match(all, /create secret generic vault-seal --from-file VAULT_TOKEN --from-file ca\.crt/);
    assert.ok(steps.some(({ resources }) => resources.includes("vault-seal")));
  });
});

describe("a preview with a seal", () => {
  const config = texts("transit", right.transit);
  const stanza = (key: string) =>
    `storage "raft" {}\nseal "transit" {\n mount_path = "transit"\n key_name = "${key}"\n}\n`;
  const key = "server.ha.raft.config";

  it("refuses another seal of a Vault that is initialised, with the way back", () => {
    const { goesOn, consequences } = judged({ config, values: { [key]: stanza("vault-unseal") } });
    assert.equal(goesOn, false);
    const [worst] = consequences;
    assert.match(
      worst?.says ?? "",
      /sealed by key shares \(shamir\), and the settings say transit transit\/vault-unseal/,
    );
    assert.deepEqual(worst?.refused?.next, ["pulumi config rm vault.seal.type --stack prod"]);
    assert.deepEqual(worst?.because, ["vault.seal: shamir -> transit transit/vault-unseal"]);
  });

  it("refuses another key of the same seal, and no seal any more", () => {
    const other = judged({ config, from: { [key]: stanza("one") }, values: { [key]: stanza("two") } });
    assert.deepEqual(other.consequences[0]?.refused?.next, ["git diff Pulumi.prod.yaml"]);
    const none = judged({ from: { [key]: stanza("one") }, values: { [key]: 'storage "raft" {}\n' } });
    assert.deepEqual(none.consequences[0]?.refused?.next, [
      "pulumi config set vault.seal.type transit --stack prod",
    ]);
  });

  it("lets the settings follow a migration that was done by hand", () => {
    const seal = { type: "transit", key: "transit transit/vault-unseal" } as const;
    const { goesOn, consequences } = judged({
      config,
      values: { [key]: stanza("vault-unseal") },
      running: { ...running, seal },
    });
    assert.equal(goesOn, true);
    assert.ok(consequences.some(({ says }) => /were brought to another seal .* by hand already/.test(says)));
  });

  it("lets another address of the same key pass, and says that no unseals are needed for a restart", () => {
    const address = (at: string) => stanza("one").replace("{\n mount", `{\n address = "${at}"\n mount`);
    const moved = judged({
      config,
      from: { [key]: address("https://a") },
      values: { [key]: address("https://b"), "server.image.tag": "2.0.4" },
    });
    assert.equal(moved.goesOn, true);
    assert.match(
      moved.consequences.map(({ says }) => says).join(),
      /No unseals needed: the seal transit does it/,
    );
  });

  it("says of a first raising that no shares unseal it, and of sealed nodes that an update cannot", () => {
    const changes = [change("create", "vault-release")];
    const { consequences } = judged({ config, changes, vault: undefined });
    assert.match(consequences.map(({ says }) => says).join(), /unsealed by the seal transit, without shares/);
    const [first, ...rest] = running.nodes;
    const nodes = [{ ...first, name: "vault-0", sealed: true, seal: "transit" }, ...rest];
    const waiting = judged({ config, running: { ...running, nodes } });
    assert.match(
      waiting.consequences[0]?.says ?? "",
      /vault-0 is sealed: the seal transit has not unsealed it/,
    );
  });
});

describe("a seal that is not reached", () => {
  const refused = [
    "2026-11-30T01:14:51.000Z [INFO]  core: raft retry join",
    "error parsing Seal configuration: Error making API request.",
    "",
    "URL: PUT http://127.0.0.1:18100/v1/transit/encrypt/unseal",
    "Code: 403. Errors:",
    "",
    "* 2 errors occurred:",
    "\t* permission denied",
    "\t* invalid token",
    "",
    "2026-11-30T01:14:51.901Z [INFO]  proxy environment: http_proxy=",
  ].join("\n");

  it("is told by the last words of the log about it, on one line", () => {
    assert.equal(
      sealWords(refused),
      "error parsing Seal configuration: Error making API request. URL: PUT http://127.0.0.1:18100/v1/transit/encrypt/unseal Code: 403. Errors: * 2 errors occurred: * permission denied * invalid token",
    );
    assert.match(
      sealWords('2026 [WARN]  failed to unseal core: error="fetching stored unseal keys failed"\n') ?? "",
      /stored unseal keys failed/,
    );
    assert.equal(sealWords("2026-11-30T01 [INFO]  core: vault is unsealed"), undefined);
  });

  it("is the cause that the doctor names, and sealed nodes follow from it", () => {
    const sealed = { ...standby, sealed: true, state: "sealed" as const, seal: "transit", leads: false };
    const evidence = evidenceOf({
      vault: { ...evidenceOf().vault, "vault-2": { value: sealed } },
      logs: { "vault-2": { value: refused } },
    });
    const [found] = findings(selfUnseal, evidence);
    assert.equal(found?.id, "seal-not-reached");
    assert.deepEqual(found?.nodes, ["vault-2"]);
    assert.match(found?.evidence[0]?.answered ?? "", /permission denied/);
    const [node] = findings(sealCheck, evidence);
    assert.match(node?.means ?? "", /No share unseals it/);
    const { findings: all } = diagnose(evidence);
    assert.equal(all[0]?.id, "seal-not-reached");
    assert.deepEqual(all.find(({ id }) => id === "sealed")?.because, ["seal-not-reached vault-2"]);
    const status = statusText(statusOf(evidence.subject, evidence));
    assert.match(status, /sealed \(waits for its seal transit\)/);
    assert.match(status, /seal: transit unseals the nodes; the stack's shares are recovery shares/);
  });

  it("is the cause of a container that ends again and again", () => {
    const config = configOf("transit");
    const values = { global: { tlsDisable: true }, server: { ha: { replicas: 3, raft: { config } } } };
    const type = "kubernetes:helm.sh/v3:Release";
    const release = { urn: `urn:pulumi:dev::vault-ha::${type}::vault-release`, type, inputs: { values } };
    const resources = [...stateOf(["vault-0", "vault-1", "vault-2"]), release];
    const crashed = podSeen("vault-2", {
      ready: false,
      restarts: 4,
      object: {
        metadata: { name: "vault-2", uid: "uid" },
        spec: {},
        status: {
          containerStatuses: [
            { name: "vault", restartCount: 4, lastState: { terminated: { exitCode: 1, reason: "Error" } } },
          ],
        },
      },
    });
    const { container: _, ...noContainer } = crashed;
    const kubernetes = evidenceOf().kubernetes?.value;
    const evidence = evidenceOf({
      resources,
      kubernetes: { value: { claims: [], pods: { ...kubernetes?.pods, "vault-2": noContainer } } },
      vault: { ...evidenceOf().vault, "vault-2": { failed: "pod vault-2 does not run" } },
      logs: { "vault-2": { value: refused } },
    });
    assert.equal(findings(pods, evidence)[0]?.id, "crash-loop");
    const { findings: all } = diagnose(evidence);
    assert.equal(all[0]?.id, "seal-not-reached");
    assert.deepEqual(all.find(({ id }) => id === "crash-loop")?.because, ["seal-not-reached vault-2"]);
  });
});
