import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { kindConfig } from "../../components/kind-config.ts";
import { mergeValues, readValuesFile, withValue } from "../../components/values-file.ts";
import { settingsOf } from "../../config.ts";
import { explainedSteps } from "../../operate/explain/steps.ts";
import { explainText, placed } from "../../operate/explain/text.ts";
import { checkout } from "../../setup/folders.ts";
import { loadSources, officialSources } from "../../sources.ts";
import { holderFiles } from "../support/pgp-holders.ts";
import { type Registered, runProgram } from "../support/program.ts";

const settings = (config: Record<string, string> = {}) =>
  settingsOf(
    "dev",
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`vault-ha:${key}`, value])),
  );
const explained = (config?: Record<string, string>) => explainedSteps("dev", settings(config), loadSources());

/** What the program declares beside components and the stack itself: each of them is made, asked or waited for. */
const isMade = ({ type }: Registered) => !/^(vault-ha:|pulumi:pulumi:)/.test(type);

/** The command of `steps` that begins like this. */
function command(steps: { byHand: string[] }[], begin: string): string {
  const found = steps.flatMap(({ byHand }) => byHand).filter((line) => line.startsWith(begin));
  assert.equal(found.length, 1, `${found.length} commands begin with ${begin}`);
  return found[0] as string;
}

/** What stands between `<<'EOF'` and `EOF`. */
const document = (line: string) => parse(/<<'EOF'\n([\s\S]*)EOF$/.exec(line)?.[1] ?? "");

describe("explain", () => {
  for (const config of [
    {},
    { "vault.replicas": "1", "whoami.enabled": "false" },
    { "vault.tls.enabled": "false" },
    { "vault.tls.source": "secret", "vault.tls.secretName": "mine" },
    { "vault.replicas": "5", "cluster.workers": "6" },
    { "ingress.controller": "traefik", "audit.enabled": "true" },
    { "telemetry.enabled": "true" },
    { "backup.schedule": "0 */6 * * *" },
    { "backup.schedule": "0 */6 * * *", "backup.bucket.name": "snapshots" },
    { "cluster.driver": "existing", "cluster.context": "fake" },
    { "cluster.driver": "existing", "cluster.context": "fake", "teardown.retainData": "false" },
  ])
    it(`names what the program makes, all of it and in its order: ${JSON.stringify(config)}`, async () => {
      const declared = [...(await runProgram({ config, monitors: true })).values()].filter(isMade);
      const order = explained(config).flatMap(({ resources }) => resources);
      assert.deepEqual(order.toSorted(), declared.map(({ name }) => name).sort());
      for (const { name, dependsOn } of declared)
        for (const earlier of dependsOn.filter((each) => order.includes(each)))
          assert.ok(order.indexOf(earlier) < order.indexOf(name), `${name} waits for ${earlier}`);
    });

  it("names what the program makes where people hold the shares, in its order, and shows each holder's key", async () => {
    const { config, folder } = await holderFiles(5);
    try {
      const declared = [...(await runProgram({ config })).values()].filter(isMade);
      const steps = explained(config);
      const order = steps.flatMap(({ resources }) => resources);
      assert.deepEqual(order.toSorted(), declared.map(({ name }) => name).sort());
      for (const { name, dependsOn } of declared)
        for (const earlier of dependsOn.filter((each) => order.includes(each)))
          assert.ok(order.indexOf(earlier) < order.indexOf(name), `${name} waits for ${earlier}`);
      const init = command(steps, "kubectl --namespace vault exec vault-0 -- vault operator init");
      assert.ok(init.includes(`-pgp-keys="${config["custody.holders"]}" `));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("types the cluster that the program makes", () => {
    const config = { "cluster.ports.http": "9080", "cluster.workers": "4" };
    assert.deepEqual(
      document(command(explained(config), "kind create cluster")),
      parse(kindConfig(settings(config), loadSources().nodeImage)),
    );
  });

  for (const controller of ["nginx", "traefik"])
    it(`types the two releases that the program declares (${controller}): chart, version, namespace and values`, async () => {
      const config = {
        "ingress.controller": controller,
        "vault.replicas": "5",
        "vault.storageSize": "2Gi",
        "vault.namespace": "secrets",
        // Stands in the middle of Vault's own configuration, which has many lines.
        "raft.performanceMultiplier": "2",
      };
      const resources = await runProgram({ config });
      const steps = explained(config);
      for (const name of ["vault", "ingress"]) {
        const { inputs } = resources.get(`${name}-release`) as Registered;
        const typed = command(steps, `helm install ${inputs.name} `);
        const [, chart = ""] = /^helm install \S+ (\S+)/.exec(typed) ?? [];
        assert.equal(chart.split("/").at(-1), (inputs.chart as string).split("/").at(-1));
        assert.equal(/--version (\S+)/.exec(typed)?.[1], inputs.version);
        const namespace = name === "vault" ? "secrets" : inputs.namespace;
        assert.equal(/--namespace (\S+)/.exec(typed)?.[1], namespace);
        assert.deepEqual(name === "vault" ? valuesOf(typed) : document(typed), inputs.values);
      }
    });

  it("takes the charts of the official sources from their repositories, in the pinned versions", () => {
    const steps = explainedSteps("dev", settings(), officialSources);
    const { vault, ingressNginx } = officialSources;
    command(steps, `helm repo add hashicorp ${vault.repo}`);
    command(steps, `helm install vault hashicorp/vault --version ${vault.version} `);
    command(steps, `helm repo add ingress-nginx ${ingressNginx.repo}`);
    command(
      steps,
      `helm install ingress-nginx ingress-nginx/ingress-nginx --version ${ingressNginx.version} `,
    );
  });

  it("lays the stack's own values file over the example's, whatever its name", () => {
    const folder = mkdtempSync(join(tmpdir(), "vault-ha-explain-"));
    try {
      const file = join(folder, "my 'own' values.yaml");
      writeFileSync(file, "server:\n  logLevel: debug\n");
      const typed = command(explained({ "vault.valuesFile": file }), "helm install vault");
      assert.ok(typed.includes(` \\\n  --values '${file.replaceAll("'", "'\\''")}'`), typed);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("follows the numbers of the stack: shares, threshold, nodes", () => {
    const steps = explained({ "vault.replicas": "1", "vault.shares": "4", "vault.threshold": "2" });
    const typed = steps.flatMap(({ byHand }) => byHand);
    assert.ok(
      command(steps, "kubectl --namespace vault exec vault-0 -- vault operator init").includes(
        "-key-shares=4 -key-threshold=2 ",
      ),
    );
    assert.equal(typed.filter((line) => line.includes("operator unseal")).length, 2);
    assert.equal(typed.filter((line) => line.includes("raft join")).length, 0);
  });

  it("is shell that a shell can read, with all words in comments", async () => {
    const text = explainText("dev", settings(), placed(explained(), undefined));
    const long = explained({ "raft.performanceMultiplier": "1" });
    for (const input of [text, explainText("dev", settings(), placed(long, undefined))])
      await execa("bash", ["-n"], { input });
    const lines = text.split("\n").filter((line) => line.startsWith("# "));
    for (const line of lines) assert.ok(line.length <= 104 || line.includes("http"), line);
  });

  it("tells of each step whether the state has all of it", () => {
    const steps = placed(
      explained(),
      new Set(["cluster-suffix", "cluster-create", "cluster-provider", "vault-namespace"]),
    );
    assert.deepEqual(
      steps.map(({ inState }) => inState),
      steps.map((_, at) => at === 0),
    );
    const text = explainText("dev", settings(), steps);
    assert.match(text, /^# 1\. .* \[in the state\]$/m);
    assert.match(text, /^# 4\. .* \[not in the state\]$/m);
  });
});

describe("npm run explain, right after git clone", () => {
  let clone: string;
  before(() => {
    clone = mkdtempSync(join(tmpdir(), "vault-ha-explain-"));
    const left = /^(node_modules|\.local|\.git|offline\/(?!lib)|Pulumi\.(?!dev\.yaml|yaml))/;
    cpSync(checkout, clone, { recursive: true, filter: (path) => !left.test(relative(checkout, path)) });
    symlinkSync(join(checkout, "node_modules"), join(clone, "node_modules"));
  });
  after(() => rmSync(clone, { recursive: true }));

  /** Without any program to be found. */
  const run = (...args: string[]) =>
    execa(process.execPath, ["commands/explain.ts", ...args], {
      cwd: clone,
      reject: false,
      env: { PATH: "" },
    });

  it("needs no tools and makes nothing", async () => {
    const { exitCode, stdout, stderr } = await run();
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr, "");
    assert.match(stdout, /^# Stack dev: 3 Vault nodes, 5 shares, threshold 3, namespace vault\.$/m);
    assert.doesNotMatch(stdout, /in the state\]/);
    assert.equal(existsSync(join(clone, ".local")), false);
  });

  it("gives a program the same steps as JSON", async () => {
    const { stack, steps } = JSON.parse((await run("--json")).stdout);
    assert.equal(stack, "dev");
    assert.deepEqual(
      steps.map(({ title }: { title: string }) => title),
      explainedSteps("dev", settings({ "vault.tls.enabled": "false" }), officialSources).map(
        ({ title }) => title,
      ),
    );
  });

  it("explains a stack without a file with the defaults, and says so", async () => {
    const { exitCode, stdout, stderr } = await run("--stack", "other");
    assert.equal(exitCode, 0);
    assert.equal(stderr, "There is no Pulumi.other.yaml, so these are the settings' defaults.");
    assert.match(stdout, /kind create cluster --name vault-ha-other /);
  });

  it("refuses settings that do not fit, all at once, as npm run up does", async () => {
    writeFileSync(
      join(clone, "Pulumi.odd.yaml"),
      "config:\n  vault-ha:vault.replicas: 4\n  vault-ha:vault.shares: {a: 1}\n  aws:region: eu\n",
    );
    const { exitCode, stdout, stderr } = await run("--stack", "odd");
    assert.equal(exitCode, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /2 settings are wrong in stack odd[\s\S]*vault\.replicas: "4"[\s\S]*vault\.shares: "\{/,
    );
  });

  for (const [what, text] of [
    ["is no YAML", "config: ["],
    ["is a list", "- config"],
    ["has a text under config", "config: vault"],
  ] as const)
    it(`refuses a stack's file that ${what}, and names it`, async () => {
      writeFileSync(join(clone, "Pulumi.odd.yaml"), text);
      const { exitCode, stderr } = await run("--stack", "odd");
      assert.equal(exitCode, 1);
      assert.match(stderr, /^\nPulumi\.odd\.yaml cannot be read: [\s\S]*\n {2}git diff Pulumi\.odd\.yaml$/);
    });
});

/** What Helm makes of `--values` and `--set` in a command, as far as the commands here use them. */
function valuesOf(typed: string) {
  const files = [...typed.matchAll(/--values (?!- )(\S+)/g)].map(([, file]) => file as string);
  for (const file of files) assert.ok(existsSync(file), file);
  let values = files
    .map((file) => readValuesFile(file).values)
    .reduce((below, above) => mergeValues(below, above, "").values, {});
  for (const [, kind, path = "", text = ""] of typed.matchAll(/--(set|set-string) ([^=\s]+)=(\S+)/g))
    values = withValue(values, path, kind === "set" ? parse(text) : text);
  return typed.includes("--values - ") ? mergeValues(values, document(typed), "").values : values;
}
