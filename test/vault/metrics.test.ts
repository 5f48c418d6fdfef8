import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listenerTelemetry, telemetryStanza } from "../../components/vault-telemetry.ts";
import { poll } from "../../setup/processes.ts";
import { type Metrics, readMetrics } from "../support/metrics.ts";
import { readPromql } from "../support/promql.ts";
import type { VaultProcess } from "../support/vault-process.ts";
import { VaultStack } from "../support/vault-stack.ts";

/** What the kubelet tells, and no Vault does. */
const ofTheKubelet = ["kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"];

describe("the metrics of real Vault nodes", function () {
  this.timeout(120_000);
  let stack: VaultStack;

  /** As Prometheus asks, without a token, and without going on to another node. */
  const scrape = async ({ address }: VaultProcess): Promise<Metrics> => {
    const url = `${address}/v1/sys/metrics?format=prometheus`;
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(10_000) });
    assert.equal(response.status, 200);
    return readMetrics(await response.text());
  };
  /** A gauge as the dashboard reads it: of the series with the cluster's name, where there is one. */
  const gauge = (metrics: Metrics, name: string): number | undefined => {
    const series = metrics.get(name) ?? [];
    const named = series.filter(({ labels }) => labels.cluster !== "");
    const values = (named.length > 0 ? named : series).map(({ value }) => value);
    return values.length > 0 ? Math.max(...values) : undefined;
  };
  const says = async (node: VaultProcess, name: string, value: number): Promise<void> => {
    let last: number | undefined;
    const said = await poll(
      async () => {
        last = gauge(await scrape(node), name);
        return last === value || undefined;
      },
      { forMs: 40_000, everyMs: 500 },
    );
    assert.ok(said, `${node.name}: ${name} is ${last}, not ${value}`);
  };
  const leader = async () => {
    const found = await poll(
      async () => {
        for (const node of stack.nodes.nodes)
          if ((await node.get("sys/leader").catch(() => ({ is_self: false }))).is_self) return node;
        return undefined;
      },
      { forMs: 30_000 },
    );
    return found ?? assert.fail("nobody leads");
  };

  before(async () => {
    // As a stack has it; tokens are counted every ten minutes otherwise.
    const whole = { ...telemetryStanza, usage_gauge_period: "2s" };
    stack = await VaultStack.start(3, { telemetry: { whole, listener: listenerTelemetry } });
    await stack.raise();
    assert.equal((await stack.verify()).code, 0);
    const file = join(stack.nodes.folder, "audit.log");
    assert.equal((await stack.run("audit", { pods: stack.pods, token: stack.token, file })).code, 0);
  });
  after(async function () {
    await stack?.end(this);
  });

  it("have each metric of the dashboard, by its name and with the labels that are asked for", async () => {
    const node = await leader();
    await node.send("POST", "sys/mounts/kv", { type: "kv" }, stack.token);
    await node.send("POST", "sys/auth/userpass", { type: "userpass" }, stack.token);
    await node.send("POST", "auth/userpass/users/ann", { password: "of-a-test" }, stack.token);
    await node.send("POST", "auth/userpass/login/ann", { password: "of-a-test" });
    for (let at = 0; at < 20; at++) await node.send("POST", `kv/${at}`, { value: "x" }, stack.token);

    const { panels } = JSON.parse(readFileSync("dashboards/vault.json", "utf8"));
    const expressions: string[] = panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
      targets.map(({ expr }) => expr),
    );
    const wanted = new Set(expressions.flatMap((expr) => readPromql(expr).metrics));
    assert.ok(wanted.size > 20, `${wanted.size} metrics`);
    let lacking: string[] = [];
    await poll(
      async () => {
        const all = await Promise.all(stack.nodes.nodes.map(scrape));
        lacking = [...wanted].filter((name) => !all.some((metrics) => metrics.has(name)));
        return lacking.length === ofTheKubelet.length || undefined;
      },
      { forMs: 60_000, everyMs: 500 },
    );
    assert.deepEqual(lacking.sort(), ofTheKubelet.toSorted());

    const metrics = await scrape(node);
    const labels = (name: string) => new Set(metrics.get(name)?.flatMap(({ labels }) => Object.keys(labels)));
    for (const [name, label] of [
      ["vault_raft_commitTime", "quantile"],
      ["vault_core_handle_request", "quantile"],
      ["vault_core_response_status_code", "code"],
      ["vault_raft_storage_follower_applied_index_delta", "peer_id"],
      ["vault_raft_storage_follower_last_heartbeat_ms", "peer_id"],
      ["vault_core_unsealed", "cluster"],
    ] as const)
      assert.ok(labels(name).has(label), `${name} has ${[...labels(name)]}, and not ${label}`);
  });

  it("are each node's own, also of one that stands by", async () => {
    const node = await leader();
    await says(node, "vault_core_active", 1);
    for (const other of stack.nodes.nodes.filter((each) => each !== node)) {
      await says(other, "vault_core_active", 0);
      await says(other, "vault_core_unsealed", 1);
      const metrics = await scrape(other);
      const [own] = metrics.get("vault_raft_storage_stats_applied_index") ?? [];
      assert.equal(own?.labels.peer_id, other.name);
    }
  });

  it("say of a former leader that it stands by, and of the new one that it leads", async () => {
    const former = await leader();
    await former.send("PUT", "sys/step-down", {}, stack.token);
    const next = await poll(
      async () => {
        const node = await leader();
        return node === former ? undefined : node;
      },
      { forMs: 30_000 },
    );
    assert.ok(next);
    await says(next, "vault_core_active", 1);
    await says(former, "vault_core_active", 0);
    await says(former, "vault_core_unsealed", 1);
  });

  it("say of a node that is sealed that it is, whether by a restart or by hand", async () => {
    const node = await leader();
    await node.send("PUT", "sys/seal", {}, stack.token);
    await says(node, "vault_core_unsealed", 0);
    const next = await leader();
    const other = stack.nodes.nodes.find((each) => each !== node && each !== next) ?? assert.fail();
    assert.equal((await stack.unseal(node.name)).code, 0);
    await other.restart();
    await says(other, "vault_core_unsealed", 0);
    await says(node, "vault_core_unsealed", 1);
  });

  it("hold no secret", async () => {
    for (const { address } of stack.nodes.nodes) {
      const text = await (await fetch(`${address}/v1/sys/metrics?format=prometheus`)).text();
      for (const secret of stack.secrets()) assert.ok(!text.includes(secret));
    }
  });
});

describe("the metrics of a Vault that wants a token for them", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  before(async () => {
    stack = await VaultStack.start(3, { telemetry: { whole: telemetryStanza, listener: {} } });
    await stack.raise();
  });
  after(async function () {
    await stack?.end(this);
  });
  const ask = (node: VaultProcess) =>
    fetch(`${node.address}/v1/sys/metrics?format=prometheus`, {
      redirect: "manual",
      headers: { "x-vault-token": stack.token },
    });

  it("are the leader's alone: a follower sends on to it, and a sealed node tells nothing", async () => {
    assert.equal((await ask(stack.nodes.at(0))).status, 200);
    const sent = await ask(stack.nodes.at(1));
    assert.equal(sent.status, 307);
    assert.ok(sent.headers.get("location")?.startsWith(stack.nodes.at(0).address));
    await stack.nodes.at(2).restart();
    assert.equal((await ask(stack.nodes.at(2))).status, 503);
    assert.equal((await fetch(`${stack.nodes.at(0).address}/v1/sys/metrics?format=prometheus`)).status, 403);
  });

  it("are open to a token that may read them and nothing else, as docs/metrics.md makes one", async () => {
    const page = readFileSync("docs/metrics.md", "utf8");
    const policy = /(path "sys\/metrics" \{[^}]*\})/.exec(page)?.[1] ?? assert.fail("no policy in the page");
    const node = stack.nodes.at(0);
    await node.send("PUT", "sys/policies/acl/metrics", { policy }, stack.token);
    const body = { policies: ["metrics"], period: "24h", no_default_policy: true };
    const { auth } = (await node.send("POST", "auth/token/create-orphan", body, stack.token)) as {
      auth: { client_token: string };
    };
    const headers = { authorization: `Bearer ${auth.client_token}` };
    const url = (path: string) => `${node.address}/v1/${path}`;
    assert.equal((await fetch(url("sys/metrics?format=prometheus"), { headers })).status, 200);
    assert.equal((await fetch(url("sys/mounts"), { headers })).status, 403);
  });
});
