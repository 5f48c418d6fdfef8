import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { foreignWords } from "../support/documented-commands.ts";
import { readPromql } from "../support/promql.ts";

const dashboard = JSON.parse(readFileSync("dashboards/vault.json", "utf8"));
const { panels } = dashboard;
const targets = panels.flatMap(({ targets, title }: { targets: object[]; title: string }) =>
  targets.map((target) => ({ title, ...target })),
);

describe("the Grafana dashboard", () => {
  it("is of a schema that Grafana 10.4 and newer read, with its own uid", () => {
    assert.equal(dashboard.schemaVersion, 39);
    assert.equal(dashboard.uid, "vault-ha");
    // An id is the database's own, and would overwrite another dashboard.
    assert.equal("id" in dashboard, false);
  });

  it("asks for its Prometheus, and for the namespace of one Vault among several", () => {
    const { list } = dashboard.templating;
    assert.deepEqual(
      list.map(({ name, type }: { name: string; type: string }) => `${name} ${type}`),
      ["datasource datasource", "namespace query"],
    );
    for (const { datasource } of [...panels, ...targets]) assert.match(datasource.uid, /^\$\{datasource\}$/);
    for (const { expr, title } of targets)
      for (const selector of expr.match(/\w+\{[^}]*\}/g) ?? [])
        assert.match(selector, /\{namespace="\$namespace"/, title);
  });

  it("has panels with ids of their own that do not lie over each other, each saying what it shows", () => {
    const taken = new Map<string, string>();
    const ids = new Set();
    for (const { id, title, description, gridPos } of panels) {
      assert.ok(!ids.has(id), `${id} is there twice`);
      ids.add(id);
      assert.ok(description.length > 10, title);
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x} ${y}`), undefined, title);
          taken.set(`${x} ${y}`, title);
        }
    }
  });

  it("has an expression in each target that Prometheus' grammar takes", () => {
    for (const { expr, title } of targets) {
      const { valid, metrics } = readPromql(expr);
      assert.ok(valid, `${title}: ${expr}`);
      assert.ok(metrics.length > 0, title);
    }
    assert.equal(readPromql("sum(rate(vault_x[5m]").valid, false);
    assert.deepEqual(readPromql("sum by (pod) (rate(a[$__rate_interval])) or b{c='d'}").metrics, ["a", "b"]);
  });

  it("is not alone in that: so does docs/metrics.md", () => {
    const asked = Object.entries(foreignWords).filter(([, whose]) => whose === "what Prometheus is asked");
    assert.equal(asked.length, 3);
    for (const [expression] of asked) assert.ok(readPromql(expression).valid, expression);
  });

  it("goes by the leader alone where a former one's numbers would still stand there", () => {
    const leaders = /vault_(autopilot|raft_storage_follower|token_count|expire)/;
    for (const { expr, title } of targets.filter(({ expr }: { expr: string }) => leaders.test(expr)))
      assert.match(expr, /and on \(pod\) .*vault_core_active.* == 1/, title);
  });
});
