import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";
import { parseHcl } from "../../components/hcl.ts";
import { readValuesFile, valueAt } from "../../components/values-file.ts";
import { checkVaultConfig } from "../../components/vault-config.ts";
import { exampleValues, vaultValues } from "../../components/vault-values.ts";
import { readSettings } from "../../config.ts";
import { neededRights } from "../../setup/rights.ts";
import { knowsServiceMonitors } from "../../setup/service-monitors.ts";
import { serverNames } from "../../steps/lib/certificates.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { change, judged } from "../support/plans.ts";
import { runProgram } from "../support/program.ts";

const example = valueAt(readValuesFile(exampleValues).values, "server.ha.raft.config") as string;
const written = (text: string, telemetry = true) =>
  checkVaultConfig(text, { performanceMultiplier: 1, telemetry });
/** The attributes of a block, by its type or by that of the block it stands in. */
function attributes(text: string, ...types: string[]): Record<string, unknown> {
  let body = parseHcl(text);
  for (const type of types) {
    const found = body.blocks.filter((block) => block.type === type);
    assert.equal(found.length, 1, `${found.length} blocks ${type} in:\n${text}`);
    body = found[0]?.body ?? assert.fail();
  }
  return Object.fromEntries(body.attributes.map(({ key, value }) => [key, value]));
}

describe("Vault's configuration, where its nodes tell their metrics,", () => {
  it("has the stanza and the listener's block, beside all that it had", () => {
    const { text, findings } = written(example);
    assert.deepEqual(findings, []);
    assert.deepEqual(attributes(text, "telemetry"), {
      prometheus_retention_time: "24h",
      disable_hostname: true,
    });
    assert.deepEqual(attributes(text, "listener", "telemetry"), { unauthenticated_metrics_access: true });
    assert.equal(attributes(text, "listener").address, "[::]:8200");
    assert.equal(attributes(text, "storage").performance_multiplier, 1);
  });

  it("is left alone where they do not", () => {
    assert.doesNotMatch(written(example, false).text, /telemetry/);
  });

  it("keeps what it says itself, and is given what it lacks", () => {
    const own = `${example.replace("tls_disable     = 1", "tls_disable = 1\n  telemetry {}")}\ntelemetry { prometheus_retention_time = "1h" }\n`;
    const { text, findings } = written(own);
    assert.deepEqual(findings, []);
    assert.deepEqual(attributes(text, "telemetry"), {
      prometheus_retention_time: "1h",
      disable_hostname: true,
    });
    assert.deepEqual(attributes(text, "listener", "telemetry"), { unauthenticated_metrics_access: true });
    // What is written twice changes nothing any more.
    assert.equal(written(text).text, text);
  });

  for (const [what, text, found] of [
    [
      "metrics that are off",
      'telemetry { prometheus_retention_time = "0s" }',
      /prometheus_retention_time is "0s"/,
    ],
    ["hosts in the names", "telemetry { disable_hostname = false }", /disable_hostname is false/],
    ["a stanza that is no block", "telemetry = { }", /telemetry is no block/],
  ] as const)
    it(`is refused with ${what}`, () => {
      const { findings } = written(`${example}\n${text}\n`);
      assert.equal(findings.length, 1);
      assert.match(findings[0]?.found ?? "", found);
      assert.match(findings[0]?.instead ?? "", /config set telemetry\.enabled false/);
      assert.deepEqual(written(`${example}\n${text}\n`, false).findings, []);
    });

  it("is refused with a listener that wants a token for them", () => {
    const own = example.replace(
      "tls_disable     = 1",
      "tls_disable = 1\n  telemetry { unauthenticated_metrics_access = false }",
    );
    assert.match(written(own).findings[0]?.found ?? "", /unauthenticated_metrics_access is false/);
  });
});

describe("the pods of a Vault whose nodes tell their metrics", () => {
  const base = {
    replicas: 3,
    storageSize: "10Gi",
    image: { repository: "hashicorp/vault", tag: "1.21.1" },
    performanceMultiplier: 5,
  };

  it("are of another template, so that a rollout brings the configuration to them", () => {
    assert.equal(valueAt(vaultValues(base).values, "server.annotations"), undefined);
    const { values, problems } = vaultValues({ ...base, telemetry: true });
    assert.deepEqual(problems, []);
    assert.deepEqual(valueAt(values, "server.annotations"), { "vault-ha/telemetry": "true" });
  });

  it("are what a preview says to be restarted, and why", () => {
    const { verdict, consequences } = judged({
      values: { "server.annotations": { "vault-ha/telemetry": "true" } },
    });
    assert.equal(verdict, "disruptive");
    assert.match(consequences[0]?.says ?? "", /rolling restart/);
    assert.deepEqual(consequences[0]?.because, ["telemetry.enabled: none -> true"]);
  });
});

const kubeconfig = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "a",
  users: [{ name: "a", user: {} }],
  contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
};

describe("the ServiceMonitor", () => {
  const on = { "telemetry.enabled": "true" };
  const monitor = async (config: Record<string, string>, monitors = true) =>
    (await runProgram({ config, monitors })).get("vault-monitor");

  it("is declared where the cluster knows its kind, and scrapes each node without a token", async () => {
    const { type, inputs, dependsOn, deletedWith } = (await monitor(on)) ?? assert.fail("none");
    assert.equal(type, "kubernetes:monitoring.coreos.com/v1:ServiceMonitor");
    assert.deepEqual(inputs.metadata, {
      name: "vault",
      namespace: "vault",
      labels: { release: "prometheus" },
    });
    const { endpoints, selector, namespaceSelector } = inputs.spec as Record<string, never>;
    assert.deepEqual(selector, {
      matchLabels: { "app.kubernetes.io/instance": "vault", "vault-internal": "true" },
    });
    assert.deepEqual(namespaceSelector, { matchNames: ["vault"] });
    assert.deepEqual(endpoints, [
      {
        port: "https",
        scheme: "https",
        path: "/v1/sys/metrics",
        params: { format: ["prometheus"] },
        interval: "30s",
        scrapeTimeout: "10s",
        tlsConfig: {
          ca: { secret: { name: "vault-server-tls", key: "ca.crt" } },
          serverName: "vault-0.vault-internal",
        },
      },
    ]);
    assert.ok(serverNames({ namespace: "vault", host: "x" }).includes("vault-0.vault-internal"));
    assert.ok(dependsOn.includes("vault-release"));
    assert.equal(deletedWith, "cluster-create");
  });

  it("is no question to guess at: a cluster that does not answer is an error, not one without the kind", async () => {
    const answers = (status: number, body: object) =>
      createServer((_, response) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      );
    const known = async (server: Server) => {
      await once(server.listen(0, "127.0.0.1"), "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const kube = await openKube(
        stringify({ ...kubeconfig, clusters: [{ name: "a", cluster: { server: url } }] }),
      );
      return knowsServiceMonitors(kube, AbortSignal.timeout(5000)).finally(() => server.close());
    };
    assert.equal(await known(answers(200, { resources: [{ kind: "ServiceMonitor" }] })), true);
    assert.equal(await known(answers(200, { resources: [{ kind: "PodMonitor" }] })), false);
    assert.equal(await known(answers(404, {})), false);
    await assert.rejects(known(answers(503, {})));
  });

  it("has the labels of the setting, and HTTP where Vault speaks it", async () => {
    const config = { ...on, "telemetry.monitorLabels": "a=b,c.d/e=f", "vault.tls.enabled": "false" };
    const { inputs } = (await monitor(config)) ?? assert.fail("none");
    assert.deepEqual((inputs.metadata as { labels: object }).labels, { a: "b", "c.d/e": "f" });
    const [endpoint] = (inputs.spec as { endpoints: Record<string, unknown>[] }).endpoints;
    assert.deepEqual([endpoint?.port, endpoint?.scheme, endpoint?.tlsConfig], ["http", "http", undefined]);
  });

  it("is not declared where the cluster does not know its kind, or the setting is off", async () => {
    assert.equal(await monitor(on, false), undefined);
    assert.equal(await monitor({}), undefined);
  });

  it("takes labels that are some, and no others", () => {
    for (const text of ["release", "=x", "a=b,", "a b=c"])
      assert.equal(readSettings({ "telemetry.monitorLabels": text }).problems.length, 1, text);
  });

  it("wants rights of its own on a cluster that exists, where it is declared", () => {
    const { settings = assert.fail() } = readSettings({});
    const resources = (monitors: boolean) =>
      neededRights(settings, { namespaceStands: true, delegates: true, monitors }).namespace.flatMap(
        ({ resources }) => resources,
      );
    assert.ok(resources(true).includes("servicemonitors"));
    assert.ok(!resources(false).includes("servicemonitors"));
  });

  for (const [op, says] of [
    ["create", /is made: by it Prometheus' operator scrapes Vault/],
    ["delete", /is taken away: .* scrapes Vault no longer/],
  ] as const)
    it(`is said of in a preview, and harms nothing: ${op}`, () => {
      const type = "kubernetes:monitoring.coreos.com/v1:ServiceMonitor";
      const { verdict, consequences } = judged({ changes: [change(op, "vault-monitor", { type })] });
      assert.equal(verdict, "safe");
      assert.match(consequences[0]?.says ?? "", says);
    });
});
