import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readSettings } from "../../config.ts";
import { settingList } from "../../settings/list.ts";

const problemsOf = (given: Record<string, string>) => readSettings(given).problems;

describe("settings", () => {
  it("have a default for everything: an empty stack is three replicas, five shares, threshold three", () => {
    const { settings, problems } = readSettings({});
    assert.deepEqual(problems, []);
    assert.deepEqual(settings, {
      backup: undefined,
      cluster: {
        existing: undefined,
        workers: 3,
        listenAddress: "127.0.0.1",
        ports: { http: 8080, https: 8443, vault: 30000, spare: 30001 },
      },
      vault: {
        namespace: "vault",
        replicas: 3,
        shares: 5,
        threshold: 3,
        storageSize: "10Gi",
        storageClass: undefined,
        giveUp: [],
        host: "vault.localhost",
        tls: { source: "selfSigned" },
        seal: undefined,
        valuesFile: undefined,
      },
      custody: { mode: "stack" },
      raft: { performanceMultiplier: 5 },
      audit: { enabled: false },
      telemetry: { enabled: false, monitorLabels: { release: "prometheus" } },
      ingress: { controller: "nginx", valuesFile: undefined },
      whoami: { enabled: true, host: "whoami.localhost" },
      teardown: { retainData: false, protected: false },
      timeouts: { clusterSeconds: 300, podSeconds: 300, stepSeconds: 300 },
    });
  });

  it("keep Vault's data on a cluster that exists, unless they say otherwise", () => {
    const existing = { "cluster.driver": "existing", "cluster.context": "prod" };
    const { settings } = readSettings(existing);
    assert.deepEqual(settings?.cluster.existing, { context: "prod", kubeconfig: undefined });
    assert.equal(settings?.teardown.retainData, true);
    const without = readSettings({ ...existing, "teardown.retainData": "false" });
    assert.equal(without.settings?.teardown.retainData, false);
    assert.match(problemsOf({ "teardown.retainData": "true" }).join(), /kind cluster takes Vault's volumes/);
  });

  it("refuse what belongs to the other driver, each by its key, and a driver without its context", () => {
    const problems = problemsOf({
      "cluster.driver": "existing",
      "cluster.ports.http": "80",
      "whoami.enabled": "false",
      "ingress.controller": "traefik",
    });
    assert.deepEqual(
      problems.map((problem) => problem.split(":")[0]),
      ["cluster.ports.http", "whoami.enabled", "ingress.controller", "cluster.context"],
    );
    assert.match(
      problems[0] ?? "",
      /driver existing .* does not use it.\n.*pulumi config rm cluster\.ports\.http/,
    );
    assert.match(problemsOf({ "cluster.context": "prod" }).join(), /driver kind .* does not use it/);
  });

  for (const replicas of [1, 3, 5, 7])
    it(`let the workers follow ${replicas} replicas`, () => {
      assert.equal(readSettings({ "vault.replicas": `${replicas}` }).settings?.cluster.workers, replicas);
    });

  it("keep a number of workers that is set", () => {
    assert.equal(readSettings({ "cluster.workers": "6" }).settings?.cluster.workers, 6);
  });

  it("refuse four replicas and give the command that mends it", () => {
    const [problem, ...more] = problemsOf({ "vault.replicas": "4", "cluster.workers": "9" });
    assert.deepEqual(more, []);
    assert.match(problem ?? "", /vault\.replicas: "4" .*1, 3, 5 or 7/);
    assert.match(problem ?? "", /pulumi config set vault\.replicas 3$/);
  });

  it("refuse a threshold above the shares", () => {
    assert.match(
      problemsOf({ "vault.shares": "3", "vault.threshold": "4" }).join(),
      /threshold: 4 is more than the 3 shares.*\n.*pulumi config set vault\.threshold 2/,
    );
  });

  it("refuse a threshold of one for several shares, as Vault does, and allow it for one share", () => {
    assert.match(problemsOf({ "vault.threshold": "1" }).join(), /Vault refuses that/);
    assert.deepEqual(problemsOf({ "vault.threshold": "1", "vault.shares": "1" }), []);
  });

  it("refuse fewer workers than replicas, because one Vault pod goes on a node", () => {
    assert.match(problemsOf({ "cluster.workers": "2" }).join(), /pulumi config set cluster\.workers 3/);
  });

  it("refuse a port that is used twice and name both settings", () => {
    const [problem] = problemsOf({ "cluster.ports.spare": "8080" });
    assert.match(problem ?? "", /cluster\.ports\.spare: 8080 is taken by cluster\.ports\.http/);
  });

  for (const multiplier of ["0", "11", "1.5"])
    it(`refuse ${multiplier} as Raft's multiplier, which is a whole number from 1 to 10`, () => {
      assert.match(
        problemsOf({ "raft.performanceMultiplier": multiplier }).join(),
        /whole number from 1 to 10.*\n.*pulumi config set raft\.performanceMultiplier 5$/,
      );
    });

  it("refuse an unknown key and name the near one", () => {
    const [problem] = problemsOf({ "vault.Replicas": "3" });
    assert.match(
      problem ?? "",
      /no such setting\. Did you mean vault\.replicas\?\n {4}pulumi config rm vault\.Replicas/,
    );
  });

  it("report every problem at once", () => {
    const problems = problemsOf({
      "vault.replicas": "two",
      "vault.threshold": "9",
      "cluster.ports.http": "70000",
      "cluster.listenAddress": "localhost",
      "whoami.enabled": "yes",
      "timeouts.podSeconds": "1m",
      "no.such": "1",
    });
    assert.equal(problems.length, 7, problems.join("\n"));
    for (const problem of problems) assert.match(problem, /\n {4}pulumi config (set|rm) \S+/);
  });

  it("refuse values of ingress-nginx's chart for another controller", () => {
    const [problem, ...more] = problemsOf({
      "ingress.controller": "traefik",
      "ingress.valuesFile": "my.yaml",
    });
    assert.match(
      problem ?? "",
      /^ingress\.valuesFile: "my\.yaml" holds values of ingress-nginx's chart[\s\S]*pulumi config rm ingress\.valuesFile$/,
    );
    assert.deepEqual(more, []);
  });

  it("refuse one host for both Vault and the test application, unless there is none", () => {
    const given = { "vault.host": "one.localhost", "whoami.host": "one.localhost" };
    const [problem, ...more] = problemsOf(given);
    assert.match(
      problem ?? "",
      /^whoami\.host: one\.localhost is Vault's own host[\s\S]*pulumi config set whoami\.host whoami\.one\.localhost$/,
    );
    assert.deepEqual(more, []);
    assert.deepEqual(problemsOf({ ...given, "whoami.enabled": "false" }), []);
  });

  it("are named in quotes and short where a key or a value is odd", () => {
    const [problem] = problemsOf({ "vault.replicas": "9".repeat(400) });
    assert.match(problem ?? "", /^vault\.replicas: "9{56}\.\.\. does not fit/);
    assert.equal(
      problemsOf({ "two\nlines": "1" })[0],
      "\"two\\nlines\": there is no such setting.\n    pulumi config rm $'vault-ha:two\\u000alines'",
    );
  });

  it("refuse a key that would be a flag, or another project's, with a command that takes it away", () => {
    assert.match(problemsOf({ "--all": "1" })[0] ?? "", /\n {4}pulumi config rm vault-ha:--all$/);
    assert.match(problemsOf({ "it's mine": "1" })[0] ?? "", /rm 'vault-ha:it'\\''s mine'$/);
  });

  it("know no key by the name of something that every object has", () => {
    for (const key of ["__proto__", "constructor", "toString"]) {
      const [problem] = problemsOf(Object.fromEntries([[key, "1"]]));
      assert.match(problem ?? "", new RegExp(`^${key}: there is no such setting`));
    }
  });

  it("know three sources of a certificate, and want of each what belongs to it and nothing else", () => {
    const tls = (given: Record<string, string>) => {
      const prefixed = Object.entries(given).map(([key, value]) => [`vault.tls.${key}`, value]);
      const { settings, problems } = readSettings(Object.fromEntries(prefixed));
      return settings ? settings.vault.tls : problems;
    };
    const files = { certFile: "a.crt", keyFile: "a.key", caFile: "ca.crt" };
    assert.deepEqual(tls({ source: "secret", secretName: "mine" }), { source: "secret", secretName: "mine" });
    assert.deepEqual(tls({ source: "files", ...files }), { source: "files", ...files });
    assert.deepEqual(tls({ enabled: "false", source: "files" }), undefined);
    assert.deepEqual(tls({ source: "files", secretName: "mine" }), [
      "vault.tls.secretName: the source files (vault.tls.source) does not use it.\n    pulumi config rm vault.tls.secretName",
      ...["certFile", "keyFile", "caFile"].map(
        (name) =>
          `vault.tls.${name}: the source files (vault.tls.source) needs it.\n    pulumi config set vault.tls.${name} <value>`,
      ),
    ]);
    assert.match(`${tls({ source: "acme" })}`, /vault\.tls\.source: "acme" .*selfSigned, secret or files/);
  });

  it("stand in docs/settings.md, each with its default and unit", () => {
    const page = readFileSync("docs/settings.md", "utf8");
    for (const [key, { fallback, unit, gives }] of Object.entries(settingList))
      assert.ok(
        page.includes(
          `| \`${key}\` | ${fallback === undefined ? "" : `\`${fallback}\``} | ${unit} | ${gives} |`,
        ),
        key,
      );
  });
});
