import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Values, valueAt } from "../../components/values-file.ts";
import { buildRenderer, chart, programValues, refusal, renderAll } from "../support/chart.ts";

const defaults = parse(readFileSync(`${chart}/values.yaml`, "utf8")) as Values;

/** Every map of the chart's own in its values: "", "server", "server.ha", ... */
function maps(values: Values, at = ""): string[] {
  const inner = Object.entries(values).filter(([, value]) => isFilledMap(value));
  return [at, ...inner.flatMap(([key, value]) => maps(value as Values, at ? `${at}.${key}` : key))];
}
/** Every single value of the chart. */
function leaves(values: Values, at = ""): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isFilledMap(value) ? leaves(value as Values, `${at}${key}.`) : [at + key],
  );
}
function isFilledMap(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}

/** What may be set, but not to everything, and how it would have to be set to be refused. */
const beyond: Record<string, unknown> = {
  "global.enabled": false,
  "global.externalVaultAddr": "http://vault.example",
  "injector.enabled": true,
  "csi.enabled": true,
  "server.enabled": false,
  "server.dev.enabled": true,
  "server.standalone.enabled": true,
  "server.ha.enabled": false,
  "server.ha.raft.enabled": false,
};

describe("The Vault chart of the closed network refuses", function () {
  this.timeout(20_000);
  before(buildRenderer);

  const known = [...maps(defaults), "server.persistentVolumeClaimRetentionPolicy"];
  for (const map of [...known, "server.statefulSet.securityContext"])
    it(`a key that it does not know in ${map || "the values"}, by name`, async () => {
      const words = await refusal({ [map ? `${map}.unheard` : "unheard"]: 1 });
      assert.ok(
        words.includes(`- at '${map && `/${map.replaceAll(".", "/")}`}': additional properties 'unheard'`),
        words,
      );
    });

  it("keys that it does not know in its own lists", async () => {
    const words = await refusal({
      "server.extraVolumes": [{ type: "secret", name: "a", secretName: "b" }],
      "server.extraSecretEnvironmentVars": [{ envName: "a", secretName: "b", secretKey: "c", key: "d" }],
      "server.ingress.hosts": [{ host: "a", port: 1 }],
    });
    for (const key of ["secretName", "key", "port"]) assert.ok(words.includes(`'${key}' not allowed`), words);
  });

  for (const key of [
    "server.route",
    "server.ha.config",
    "server.ha.raft.redundancyZones",
    "serverTelemetry",
    "global.openshift",
    "server.standalone.config",
  ])
    it(`${key}, which only the official chart knows`, async () => {
      assert.ok((await refusal({ [key]: {} })).includes(`'${key.split(".").at(-1)}' not allowed`));
    });

  const wrong: [key: string, value: unknown][] = [
    ["server.ha.replicas", "3"],
    ["server.ha.replicas", 0],
    ["server.ha.disruptionBudget.maxUnavailable", 0],
    ["server.updateStrategyType", "Recreate"],
    ["server.dataStorage.size", "much"],
    ["server.service.type", "ExternalName"],
    ["server.logLevel", "loud"],
    ["server.ha.raft.config", { ui: true }],
    ["ui.serviceNodePort", 70000],
  ];
  for (const [key, value] of wrong)
    it(`${key} as ${JSON.stringify(value)}, and says where`, async () => {
      const words = await refusal({ [key]: value });
      assert.ok(words.includes(`- at '/${key.replaceAll(".", "/")}'`), words);
    });

  it("a whole map taken away", async () => {
    assert.match(await refusal({ "server.service": null }), /at '\/server': missing property 'service'/);
  });

  for (const [key, value] of [...Object.entries(beyond), ["injector.enabled", "-"] as const])
    it(`${key} as ${JSON.stringify(value)}, in words`, async () => {
      assert.ok((await refusal({ [key]: value })).includes(`\n- ${key} is `));
    });

  it("all of that at once, a line for each", async () => {
    const { "global.enabled": _, ...rest } = beyond; // with it, "-" would mean off
    const words = await refusal(rest);
    for (const key of Object.keys(rest)) assert.ok(words.includes(`\n- ${key} is `), key);
  });

  it("annotations that are no map", async () => {
    assert.match(await refusal({ "server.annotations": "- a" }), /not a map in YAML/);
  });

  it("its own defaults, as they mean a Vault without Raft and with an injector", async () => {
    const [answer] = await renderAll([{}]);
    for (const key of ["injector.enabled", "server.ha.enabled", "server.ha.raft.enabled"])
      assert.ok(answer?.refused?.includes(`\n- ${key} is `), key);
  });
});

describe("The Vault chart of the closed network", function () {
  this.timeout(60_000);
  before(buildRenderer);

  /** Switched on, so that what belongs to it can show. */
  const on: Record<string, unknown> = {
    "server.ingress.enabled": true,
    "server.networkPolicy.enabled": true,
    "server.livenessProbe.enabled": true,
    "server.readinessProbe.path": "/r",
    "server.auditStorage.enabled": true,
    "server.service.type": "NodePort",
    "server.serviceAccount.createSecret": true,
  };
  /** Values that have to be of a certain form. */
  const forms: [RegExp, unknown][] = [
    [/pullPolicy$/, "Always"],
    [/updateStrategyType$/, "RollingUpdate"],
    [/logLevel$/, "warn"],
    [/logFormat$/, "json"],
    [/pathType$/, "Exact"],
    [/FamilyPolicy$/, "SingleStack"],
    [/Families$/, ["IPv6"]],
    [/externalTrafficPolicy$/, "Local"],
    [/serviceType$/, "LoadBalancer"],
    [/accessMode$/, "ReadWriteMany"],
    [/Storage\.size$/, "3Gi"],
    [/maxUnavailable$|serviceNodePort$/, 30005],
    [/RetentionPolicy$/, { whenScaled: "Delete" }],
    [/preStop$|postStart$|execCommand$|imagePullSecrets$/, ["a"]],
    [/extraSecretEnvironmentVars$/, [{ envName: "a", secretName: "b", secretKey: "c" }]],
    [/extraVolumes$/, [{ type: "secret", name: "a" }]],
    [/ingress\.hosts$/, [{ host: "a" }]],
    [/hostAliases$/, [{ ip: "1.1.1.1" }]],
    [/ingress\.tls$/, [{ secretName: "a" }]],
    [/mountPath$|\.path$/, "/other"],
    [/affinity$/, "a: b"],
    [/volumes$|volumeMounts$|Containers$|extraPorts$/, [{ name: "a" }]],
  ];
  function another(key: string): unknown {
    if (key in beyond) return beyond[key];
    const form = forms.find(([pattern]) => pattern.test(key));
    if (form) return form[1];
    const now = on[key] ?? valueAt(programValues(), key) ?? valueAt(defaults, key);
    if (typeof now === "boolean") return !now;
    if (typeof now === "number") return now + 1;
    if (Array.isArray(now)) return [{ a: "b" }];
    return typeof now === "object" && now !== null ? { a: "b" } : "other";
  }

  it("takes every value that it lists, and leaves none without effect", async () => {
    const keys = leaves(defaults);
    const changes = keys.map((key) => ({ ...on, [key]: another(key) }));
    const [before, ...after] = await renderAll([on, ...changes].map((one) => programValues(one)));
    assert.ok(before?.objects);
    const same = (n: number) => JSON.stringify(after[n]) === JSON.stringify(before);
    assert.deepEqual(
      keys.filter((_, n) => same(n)),
      [],
    );
    const refused = keys.filter((_, n) => after[n]?.refused);
    assert.deepEqual(refused, Object.keys(beyond));
  });
});
