import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { V1Ingress } from "@kubernetes/client-node";
import { type Values, valueAt } from "../../components/values-file.ts";
import { loadSources } from "../../sources.ts";
import { issueCertificate } from "../../steps/lib/x509.ts";
import {
  isSecret,
  madeAuthority,
  madeCertificate,
  marked,
  type Registered,
  runProgram,
} from "../support/program.ts";

const isCommand = (resource: Registered) => resource.type === "command:local:Command";
const stepsOf = (resources: Map<string, Registered>) => [...resources.values()].filter(isCommand);
const get = (resources: Map<string, Registered>, name: string) => {
  const found = resources.get(name);
  assert.ok(found, `${name} is not declared; there are ${[...resources.keys()].join(", ")}`);
  return found;
};

/** The runbook of design.md: each step, in order. */
const runbook = (replicas: number) => [
  "lifecycle-identity",
  "lifecycle-init-vault-0",
  "lifecycle-rollout",
  "lifecycle-unseal-vault-0",
  ...Array.from({ length: replicas - 1 }, (_, n) => n + 1).flatMap((n) => [
    `lifecycle-join-vault-${n}`,
    `lifecycle-unseal-vault-${n}`,
    `lifecycle-voter-vault-${n}`,
  ]),
  "lifecycle-verify",
];

describe("the program", () => {
  for (const replicas of [1, 3, 5])
    it(`declares the runbook for ${replicas} replicas, each step after the one before`, async () => {
      const resources = await runProgram({ config: { "vault.replicas": `${replicas}` } });
      const declared = stepsOf(resources)
        .map((step) => step.name)
        .filter((name) => name.startsWith("lifecycle-"));
      assert.deepEqual(declared.sort(), runbook(replicas).sort());
      const order = runbook(replicas);
      for (const [at, name] of order.entries()) {
        const { dependsOn } = get(resources, name);
        assert.ok(dependsOn.includes(order[at - 1] ?? "vault-release"), `${name} waits for ${dependsOn}`);
        for (const later of order.slice(at))
          assert.ok(!dependsOn.includes(later), `${name} waits for ${later}`);
      }
    });

  it("has peers leave before Helm takes their pods, and nobody on a first run", async () => {
    const { inputs, dependsOn } = get(await runProgram({ config: { "vault.replicas": "1" } }), "vault-leave");
    assert.equal(inputs.create, undefined);
    assert.equal(inputs.update, "exec node steps/leave.ts");
    assert.deepEqual(inputs.environment, { PODS: "vault-0" });
    assert.ok(dependsOn.includes("vault-namespace"));
    const resources = await runProgram();
    assert.ok(get(resources, "vault-release").dependsOn.includes("vault-leave"));
    assert.deepEqual(get(resources, "vault-leave").inputs.environment, { PODS: "vault-0 vault-1 vault-2" });
  });

  it("begins Vault's release and ingress-nginx beside each other", async () => {
    const resources = await runProgram();
    const release = get(resources, "vault-release");
    assert.ok(release.dependsOn.includes("vault-namespace"));
    assert.ok(!release.dependsOn.includes("ingress-release"));
    assert.ok(!get(resources, "ingress-release").dependsOn.includes("vault-release"));
    assert.ok(get(resources, "whoami-ingress").dependsOn.includes("ingress-release"));
  });

  it("lets the test application's Ingress alone wait for the controller", async () => {
    const resources = await runProgram();
    for (const name of ["whoami-deployment", "whoami-service", "vault-namespace"])
      assert.ok(!get(resources, name).dependsOn.includes("ingress-release"), name);
  });

  it("leads Vault's host to the node that leads: TLS ends at Vault, and without TLS it is plain HTTP", async () => {
    for (const [enabled, passthrough] of [
      ["true", "true"],
      ["false", undefined],
    ] as const) {
      const config = {
        "vault.tls.enabled": enabled,
        "vault.host": "v.example",
        "vault.namespace": "secrets",
      };
      const { inputs, dependsOn } = get(await runProgram({ config }), "vault-ingress");
      const { metadata, spec } = inputs as unknown as V1Ingress;
      assert.equal(metadata?.annotations?.["nginx.ingress.kubernetes.io/ssl-passthrough"], passthrough);
      // Where both are, ingress-nginx ends TLS itself, and does not verify Vault's certificate.
      assert.equal(metadata?.annotations?.["nginx.ingress.kubernetes.io/backend-protocol"], undefined);
      assert.equal(metadata?.namespace, "secrets");
      assert.equal(spec?.ingressClassName, "nginx");
      assert.deepEqual(spec?.rules, [
        {
          host: "v.example",
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: "vault-active", port: { number: 8200 } } },
              },
            ],
          },
        },
      ]);
      for (const earlier of ["ingress-release", "vault-release"])
        assert.ok(dependsOn.includes(earlier), `${dependsOn}`);
    }
  });

  it("changes nothing but the controller's chart and values where Traefik serves the Ingresses", async () => {
    const [nginx, traefik] = [
      await runProgram(),
      await runProgram({ config: { "ingress.controller": "traefik" } }),
    ];
    assert.deepEqual([...traefik.keys()].sort(), [...nginx.keys()].sort());
    // What is served knows nothing of what serves it.
    for (const name of ["vault-ingress", "whoami-ingress", "whoami-service", "whoami-deployment"])
      assert.deepEqual(get(traefik, name).inputs, get(nginx, name).inputs, name);
    const release = get(traefik, "ingress-release").inputs;
    assert.equal(release.chart, "./charts/traefik");
    assert.deepEqual(release.values, { image: loadSources().traefik.image });
    // The same release: Helm then puts one controller in the other's place.
    for (const key of ["name", "namespace"])
      assert.equal(release[key], get(nginx, "ingress-release").inputs[key]);
  });

  it("lets no step of Vault wait for the ingress", async () => {
    for (const { name, dependsOn } of stepsOf(await runProgram()))
      for (const earlier of ["ingress-release", "vault-ingress"])
        assert.ok(!dependsOn.includes(earlier), `${name} waits for ${earlier}`);
  });

  it("lets Helm wait for a controller that runs: with one pod that may be missing it waits for none", async () => {
    const { inputs } = get(await runProgram(), "ingress-release");
    assert.ok(!inputs.skipAwait);
    const { controller } = inputs.values as { controller: Record<string, unknown> };
    assert.deepEqual(controller.updateStrategy, { type: "Recreate", rollingUpdate: null });
  });

  it("deletes everything inside the cluster with the cluster", async () => {
    const resources = await runProgram();
    const inside = [...resources.values()].filter(
      ({ type, name }) =>
        (type.startsWith("kubernetes:") || type === "command:local:Command") && name !== "cluster-create",
    );
    assert.ok(inside.length >= 18, `${inside.length} resources`);
    for (const { name, deletedWith } of inside) assert.equal(deletedWith, "cluster-create", name);
  });

  it("puts no share, no token and no kubeconfig anywhere but in stdin, and marks that as secret", async () => {
    for (const { name, inputs } of stepsOf(await runProgram())) {
      const { stdin, ...others } = inputs;
      assert.ok(isSecret(stdin), `${name}: stdin is not secret`);
      const text = JSON.stringify(others);
      for (const secret of [
        ...marked.shares,
        marked.rootToken,
        marked.kubeconfigUser,
        madeAuthority.key,
        madeCertificate.key,
      ])
        assert.ok(!text.includes(secret), `${name} shows ${secret}: ${text}`);
    }
  });

  it("keeps the output of every step secret and logs its progress only", async () => {
    for (const step of stepsOf(await runProgram())) {
      assert.deepEqual(step.secretOutputs.toSorted(), ["stderr", "stdout"], step.name);
      assert.equal(step.inputs.logging, "stderr", step.name);
    }
  });

  it("gives the shares to unseal and the token to join, voter and verify", async () => {
    const resources = await runProgram();
    const stdin = (name: string) => JSON.stringify(get(resources, name).inputs.stdin);
    assert.ok(stdin("lifecycle-unseal-vault-2").includes(marked.shares[1] as string));
    for (const name of ["lifecycle-join-vault-1", "lifecycle-voter-vault-1", "lifecycle-verify"])
      assert.ok(stdin(name).includes(marked.rootToken), name);
  });

  it("makes the running container an input of its pod's unseal step alone", async () => {
    const resources = await runProgram();
    const seen = stepsOf(resources).flatMap(({ name, inputs }) => {
      const { CONTAINER } = (inputs.environment ?? {}) as Record<string, string>;
      return CONTAINER === undefined ? [] : [[name, CONTAINER]];
    });
    assert.deepEqual(
      seen.sort(),
      ["vault-0", "vault-1", "vault-2"].map((pod) => [
        `lifecycle-unseal-${pod}`,
        `containerd://container-${pod}`,
      ]),
    );
  });

  it("makes Kubernetes' identity and that of each store inputs of the identity step, which comes first", async () => {
    const { inputs } = get(await runProgram(), "lifecycle-identity");
    assert.deepEqual(inputs.environment, {
      KUBERNETES: "uid-of-kube-system",
      STORES: "vault-0=uid-of-data-vault-0 vault-1=uid-of-data-vault-1 vault-2=uid-of-data-vault-2",
    });
  });

  it("makes the Vault that answers an input of verify: the known one where none can be asked", async () => {
    const { inputs } = get(await runProgram(), "lifecycle-verify");
    assert.equal((inputs.environment as Record<string, string>).VAULT, marked.clusterId);
  });

  it("has the steps that pin an identity given their last answer, and no other", async () => {
    const given = stepsOf(await runProgram()).filter(({ inputs }) => inputs.addPreviousOutputInEnv);
    assert.deepEqual(
      given.map(({ name }) => name).sort(),
      ["identity", "unseal-vault-0", "unseal-vault-1", "unseal-vault-2"].map((step) => `lifecycle-${step}`),
    );
  });

  it("lets no change of a setting make init run again, or another authority", async () => {
    const ignored: Record<string, string[]> = {
      "lifecycle-init-vault-0": ["stdin", "update", "environment"],
      "vault-tls-authority": ["stdin"],
      "lifecycle-rollout": ["create"],
      "vault-leave": ["create"],
    };
    for (const { name, ignoreChanges } of stepsOf(await runProgram()))
      assert.deepEqual(ignoreChanges, ignored[name] ?? [], name);
  });

  it("has init answer anew where this machine's keys took the place of others, and is told when, not which", async () => {
    const folder = ".local/stacks/mocked";
    mkdirSync(folder, { recursive: true });
    try {
      const changedAt = "2026-11-25T12:00:00.000Z";
      writeFileSync(`${folder}/vault-init.json`, JSON.stringify({ changedAt }));
      const { inputs, ignoreChanges } = get(await runProgram(), "lifecycle-init-vault-0");
      assert.deepEqual(inputs.environment, { KEYS: changedAt });
      assert.equal(inputs.update, "exec node steps/init.ts");
      assert.deepEqual(ignoreChanges, ["stdin"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("tells the steps what somebody has given up", async () => {
    const resources = await runProgram({ config: { "vault.giveUp": "one,two" } });
    for (const name of runbook(3))
      assert.match(
        JSON.stringify(get(resources, name).inputs.stdin),
        /giveUp\\":\[\\"one\\",\\"two\\"\]/,
        name,
      );
  });

  it("begins every step anew on another cluster", async () => {
    for (const { name, inputs } of stepsOf(await runProgram()))
      if (name.startsWith("lifecycle-")) assert.deepEqual(inputs.triggers, ["instance-1"], name);
  });

  it("makes another cluster exactly when the kind configuration changes", async () => {
    const read = async (config: Record<string, string>) => {
      const resources = await runProgram({ config });
      const { clusterIdentifier } = get(resources, "cluster-provider").inputs;
      const [trigger] = get(resources, "cluster-create").inputs.triggers as string[];
      assert.equal(trigger, clusterIdentifier);
      return trigger;
    };
    const base = await read({});
    assert.equal(await read({ "vault.storageSize": "1Gi", "whoami.host": "who.localhost" }), base);
    assert.notEqual(await read({ "cluster.ports.http": "9080" }), base);
  });

  it("knows the cluster's identifier at a first preview, and declares every step there", async () => {
    const resources = await runProgram({ preview: true });
    assert.match(get(resources, "cluster-provider").inputs.clusterIdentifier as string, /^[0-9a-f]{16}$/);
    assert.deepEqual(
      stepsOf(resources)
        .map((step) => step.name)
        .sort(),
      ["cluster-create", "vault-leave", "vault-tls-authority", "vault-tls-certificate", ...runbook(3)].sort(),
    );
  });

  describe("on a cluster that exists", () => {
    const existing = (config: Record<string, string> = {}) =>
      runProgram({ config: { "cluster.driver": "existing", ...config } });

    it("declares the same runbook, and no cluster, no ingress and no test application", async () => {
      const resources = await existing();
      const steps = stepsOf(resources).map(({ name }) => name);
      assert.deepEqual(
        steps.filter((name) => name.startsWith("lifecycle-")).sort(),
        [...runbook(3), "lifecycle-keys"].sort(),
      );
      for (const name of ["cluster-create", "ingress-release", "whoami-deployment", "vault-ingress"])
        assert.equal(resources.get(name), undefined, name);
    });

    it("deletes nothing with the cluster, and knows it under the same names whoever's login is used", async () => {
      for (const { name, inputs, deletedWith } of (await existing()).values()) {
        assert.equal(deletedWith, undefined, name);
        if (inputs.triggers !== undefined && name.startsWith("lifecycle-") && name !== "lifecycle-keys")
          assert.deepEqual(inputs.triggers, ["existing"], name);
      }
      const { inputs } = get(await existing(), "cluster-provider");
      assert.equal(inputs.kubeconfig, ".local/stacks/mocked/kubeconfig");
      assert.equal(inputs.clusterIdentifier, "existing");
    });

    it("keeps namespace and keys at the end unless the stack says otherwise; then the keys go last", async () => {
      const kept = await existing();
      assert.equal(get(kept, "vault-namespace").retainOnDelete, true);
      assert.equal(get(kept, "lifecycle-keys").inputs.delete, "exec node steps/keep-keys.ts");
      assert.ok(get(kept, "lifecycle-keys").dependsOn.includes("lifecycle-init-vault-0"));
      const gone = await existing({ "teardown.retainData": "false" });
      assert.equal(get(gone, "vault-namespace").retainOnDelete, false);
      assert.equal(gone.get("lifecycle-keys"), undefined);
      assert.equal(get(gone, "vault-keys").inputs.delete, "exec node steps/forget-keys.ts");
      // Deleted in the reverse order: the keys after the volumes.
      assert.ok(get(gone, "vault-namespace").dependsOn.includes("vault-keys"));
    });

    it("marks the namespace as the stack's own, and gives Vault's service no port of the nodes", async () => {
      const resources = await existing({ "vault.storageClass": "fast" });
      const { metadata } = get(resources, "vault-namespace").inputs as { metadata: object };
      assert.deepEqual(metadata, { name: "vault", labels: { "vault-ha/stack": "mocked" } });
      const { values } = get(resources, "vault-release").inputs as { values: Values };
      assert.equal(valueAt(values, "ui.serviceType"), "ClusterIP");
      assert.equal(valueAt(values, "ui.serviceNodePort"), null);
      assert.equal(valueAt(values, "server.dataStorage.storageClass"), "fast");
    });
  });

  it("protects what holds data and keys where the stack is protected, and nothing that comes and goes", async () => {
    const protectedNames = async (config: Record<string, string>) =>
      [...(await runProgram({ config })).values()]
        .filter(({ protect }) => protect)
        .map(({ name }) => name)
        .sort();
    assert.deepEqual(await protectedNames({}), []);
    // And verify: destroy begins there.
    const holders = ["lifecycle-init-vault-0", "lifecycle-verify", "vault-namespace", "vault-release"];
    assert.deepEqual(
      await protectedNames({ "teardown.protected": "true" }),
      ["cluster-create", ...holders].sort(),
    );
    assert.deepEqual(
      await protectedNames({ "teardown.protected": "true", "cluster.driver": "existing" }),
      ["lifecycle-keys", ...holders].sort(),
    );
  });

  it("does not wait for Vault's pods in the release: they are not ready before they are unsealed", async () => {
    const { inputs } = get(await runProgram(), "vault-release");
    assert.equal(inputs.skipAwait, true);
    assert.ok(!inputs.atomic);
  });

  it("gives Vault's configuration the stack's performance_multiplier", async () => {
    const resources = await runProgram({ config: { "raft.performanceMultiplier": "2" } });
    const { values } = get(resources, "vault-release").inputs as { values: Values };
    assert.match(`${valueAt(values, "server.ha.raft.config")}`, /^ {2}performance_multiplier = 2$/m);
  });

  describe("with TLS", () => {
    const rollout = async (config: Record<string, string> = {}, answers = {}) =>
      get(await runProgram({ config, answers }), "lifecycle-rollout").inputs;
    const facts = (inputs: Registered["inputs"]) => inputs.environment as Record<string, string>;

    it("keeps the private key secret in the Secret that the pods serve", async () => {
      const { data } = get(await runProgram(), "vault-tls-secret").inputs as {
        data: Record<string, unknown>;
      };
      assert.ok(isSecret(data["tls.key"]) || isSecret(data), JSON.stringify(data));
    });

    it("brings running nodes to another release or certificate, and does nothing where nothing runs", async () => {
      const inputs = await rollout();
      assert.equal(inputs.create, undefined);
      assert.equal(inputs.update, "exec node steps/rollout.ts");
      const usual = facts(inputs);
      assert.match(usual.CERTIFICATE ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      const other = await issueCertificate(madeAuthority, ["vault.localhost"]);
      const renewed = facts(await rollout({}, { "vault-tls-certificate": other }));
      assert.notEqual(renewed.CERTIFICATE, usual.CERTIFICATE);
      assert.equal(renewed.RELEASE, usual.RELEASE);
      const off = facts(await rollout({ "vault.tls.enabled": "false" }));
      assert.notEqual(off.RELEASE, usual.RELEASE);
      assert.equal(off.CERTIFICATE, undefined);
    });

    it("looks at the nodes, too, where this machine has their keys and the state knows no rollout", async () => {
      const folder = ".local/stacks/mocked";
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/vault-init.json`, "{}");
      try {
        const inputs = await rollout();
        assert.deepEqual([inputs.create, inputs.update], Array(2).fill("exec node steps/rollout.ts"));
        // Whoever takes a Vault over does not start it anew for that.
        writeFileSync(`${folder}/vault-init.json`, JSON.stringify({ adoptedAt: "2026-11-25T12:00:00Z" }));
        const adopted = await rollout();
        assert.deepEqual([adopted.create, adopted.update], [undefined, "exec node steps/rollout.ts"]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it("has a new certificate made when 30 days are left of the year, and not before", async () => {
      const term = async (daysAgo: number) => {
        const notBefore = new Date(Date.now() - daysAgo * 24 * 60 * 60 * 1000).toISOString();
        const answers = { "vault-tls-authority": { ...madeAuthority, notBefore } };
        return facts(get(await runProgram({ answers }), "vault-tls-certificate").inputs).TERM;
      };
      assert.deepEqual(
        [await term(0), await term(334), await term(336), await term(671)],
        ["0", "0", "1", "2"],
      );
    });

    it("leaves the renewal of somebody else's Secret to the pods, so that it never shows in a preview", async () => {
      const config = { "vault.tls.source": "secret", "vault.tls.secretName": "mine" };
      const resources = await runProgram({ config });
      const { values } = get(resources, "vault-release").inputs as { values: Values };
      const [watch, ...more] = valueAt(values, "server.extraContainers") as {
        name: string;
        command: string[];
      }[];
      assert.deepEqual(more, []);
      assert.equal(watch?.name, "certificate-watch");
      assert.equal(valueAt(values, "server.shareProcessNamespace"), true);
      assert.equal(facts(get(resources, "lifecycle-rollout").inputs).CERTIFICATE, undefined);
      assert.ok(get(resources, "vault-release").dependsOn.includes("vault-tls-found"));
      const { values: own } = get(await runProgram(), "vault-release").inputs as { values: Values };
      assert.equal(valueAt(own, "server.extraContainers"), undefined);
    });

    it("shows the release's values at a first preview already, when nobody has looked for its Secret yet", async () => {
      const config = { "vault.tls.source": "secret", "vault.tls.secretName": "mine" };
      const { inputs, dependsOn } = get(await runProgram({ config, preview: true }), "vault-release");
      assert.equal(valueAt(inputs.values as Values, "server.ha.replicas"), 3);
      assert.ok(dependsOn.includes("vault-tls-found"));
    });

    it("tells every step to speak HTTPS and whom to trust, and gives it no certificate", async () => {
      const resources = await runProgram();
      for (const name of runbook(3).filter((name) => !name.includes("-init-"))) {
        const stdin = JSON.stringify(get(resources, name).inputs.stdin);
        assert.match(stdin, /scheme\\":\\"https\\"/, name);
        assert.match(stdin, /tlsSecret\\":\\"vault-server-tls\\"/, name);
        assert.doesNotMatch(stdin, /BEGIN CERTIFICATE/, name);
      }
    });
  });

  it("leaves the test application out where a stack says so", async () => {
    const resources = await runProgram({ config: { "whoami.enabled": "false" } });
    assert.deepEqual(
      [...resources.keys()].filter((name) => name.startsWith("whoami")),
      [],
    );
  });

  it("refuses wrong settings with one error that lists them all, and declares nothing", async () => {
    const declared = new Map<string, Registered>();
    await assert.rejects(
      runProgram({ config: { "vault.replicas": "2", "vault.threshold": "6" }, declared }),
      (error: Error) => {
        assert.match(error.message, /2 settings are wrong in stack mocked; nothing was changed/);
        assert.match(error.message, /vault\.replicas[\s\S]*vault\.threshold/);
        return true;
      },
    );
    assert.deepEqual([...declared.keys()], []);
  });

  it("refuses wrong Helm values of the ingress before anything is declared", async () => {
    const declared = new Map<string, Registered>();
    await assert.rejects(
      runProgram({ config: { "ingress.valuesFile": "no-such-file.yaml" }, declared }),
      /The ingress's Helm values cannot be used; nothing was changed\.\n {2}no-such-file\.yaml: there is no such file/,
    );
    assert.deepEqual([...declared.keys()], []);
  });

  it("refuses wrong Helm values and a wrong certificate, all at once, before anything is declared", async () => {
    const declared = new Map<string, Registered>();
    const tls = { source: "files", certFile: "no.crt", keyFile: "no.key", caFile: "no-ca.crt" };
    await assert.rejects(
      runProgram({
        config: {
          "vault.valuesFile": "no-such-file.yaml",
          "ingress.valuesFile": "none-either.yaml",
          ...Object.fromEntries(Object.entries(tls).map(([key, value]) => [`vault.tls.${key}`, value])),
        },
        declared,
      }),
      /Vault's Helm values cannot be used; nothing was changed\.\n {2}no-such-file\.yaml: there is no such file[\s\S]*The ingress's Helm values [\s\S]*none-either\.yaml[\s\S]*Vault's certificate \(no\.crt\)[\s\S]*vault\.tls\.caFile: ENOENT/,
    );
    assert.deepEqual([...declared.keys()], []);
  });
});
