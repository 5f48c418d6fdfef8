import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHcl } from "../../components/hcl.ts";
import { readValuesFile, valueAt } from "../../components/values-file.ts";
import { vaultValues } from "../../components/vault-values.ts";

describe("a values file that YAML can say and Helm cannot take", () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-values-"));
    file = join(folder, "own.yaml");
  });
  after(() => rmSync(folder, { recursive: true }));
  const problemsOf = (text: string) => {
    writeFileSync(file, text);
    return readValuesFile(file).problems;
  };

  for (const [what, text, says] of [
    ["an alias that nothing stands behind", "a: *nobody\n", /not valid YAML: .*nobody/],
    ["a merge of something that is no map", "a: { <<: 3 }\n", /not valid YAML: /],
    ["a map that holds itself", "a: &a { b: *a }\n", /"a\.b" is an alias of what it stands in/],
    ["a list that holds itself, alone", "&a [*a]\n", /it is an alias|"0" is an alias/],
    ["infinity", "a: [.inf]\n", /"a\.0" is no number that Helm knows/],
    ["a set", "a: !!set {b, c}\n", /"a" is of a kind that Helm's values do not have/],
    ["bytes", "a: !!binary aGVsbG8=\n", /"a" is of a kind that Helm's values do not have/],
    ["a key of JavaScript's own", "a: { __proto__: { b: 1 } }\n", /"a" has the key __proto__/],
    ["a key that stops Pulumi", "toString: 1\n", /it has the key toString/],
    ["values nested too deep for anybody", `a: ${"[".repeat(200)}${"]".repeat(200)}\n`, /is nested too deep/],
    [
      "values nested too deep for the parser",
      `a: ${"[".repeat(3_000)}\n`,
      /not valid YAML: .*nested too deep/,
    ],
  ] as const)
    it(`is refused with the file and what to do: ${what}`, () => {
      const problems = problemsOf(text);
      assert.ok(problems.length > 0);
      assert.ok(problems[0]?.startsWith(`${file}: `), problems[0]);
      assert.match(problems.join("\n"), says);
      for (const problem of problems)
        assert.match(
          problem,
          /\n {4}(Remove it\.|Mend the file, or do without: pulumi config rm vault\.valuesFile)$/,
        );
    });

  it("names a file whose name has blanks in a command that a shell takes", () => {
    const { problems } = readValuesFile(join(folder, "x y\u0000"));
    assert.match(problems[0] ?? "", /\n {4}ls -l \$'\/.*x y\\u0000'$/);
  });

  it("keeps aliases that stand beside each other", () => {
    writeFileSync(file, "a: &a { b: [1] }\nc: *a\nd: *a\n");
    const { values, problems } = readValuesFile(file);
    assert.deepEqual(problems, []);
    assert.deepEqual(valueAt(values, "d.b"), [1]);
  });

  const decided = {
    replicas: 3,
    storageSize: "10Gi",
    image: { repository: "hashicorp/vault", tag: "2.0.4" },
    performanceMultiplier: 5,
  };

  it("is refused where a text belongs and an object stands", () => {
    for (const [text, key] of [
      ["server: { ha: { clusterAddr: { a: 1 } } }", "server.ha.clusterAddr"],
      ["server: { livenessProbe: { enabled: true, path: { a: 1 } } }", "server.livenessProbe.enabled"],
      ["server: { volumes: { a: 1 } }", "server.volumes"],
    ] as const) {
      writeFileSync(file, text);
      const { problems } = vaultValues({ ...decided, ownFile: file, tls: { secretName: "tls" } });
      assert.ok(
        problems.some((problem) => problem.startsWith(`${file}: ${key}: `)),
        `${key}: ${problems.join("\n")}`,
      );
    }
  });

  it("is refused where Vault's configuration is nested too deep, with the line", () => {
    for (const text of ["a { ".repeat(3_000), "a = { ".repeat(3_000), `a = ${"[".repeat(3_000)}`])
      assert.throws(() => parseHcl(`ui = true\n${text}`), /^Error: line 2: it is nested too deep$/);
  });
});
