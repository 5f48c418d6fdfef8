import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadVaultValues } from "../../components/vault-values.ts";
import { readStackFile } from "../../operate/stack-file.ts";
import { checkout } from "../../setup/folders.ts";
import { loadSources } from "../../sources.ts";

describe("the stacks' files", () => {
  // Those of this repository: a person's own stacks lie beside them.
  const listed = execFileSync("git", ["ls-files", "Pulumi.*.yaml"], { cwd: checkout, encoding: "utf8" });
  const files = listed.trim().split("\n");
  const stackOf = (file: string) => /^Pulumi\.(.*)\.yaml$/.exec(file)?.[1] ?? "";

  it("are those of dev, ci and the example for production", () => {
    assert.deepEqual(files.map(stackOf), ["ci", "dev", "prod"]);
  });

  for (const file of files) {
    it(`can be used as they are: ${file}`, () => {
      const { settings } = readStackFile(stackOf(file));
      loadVaultValues(settings, loadSources());
    });

    it(`explain each line: ${file}`, () => {
      let explained = false;
      for (const line of readFileSync(`${checkout}/${file}`, "utf8").split("\n")) {
        if (/^ *#/.test(line)) explained = true;
        else if (/^ {2}vault-ha:/.test(line)) {
          // Two settings may share one sentence only where the second names what the first chose.
          assert.ok(explained || /(secretName|threshold|ports\.\w+):/.test(line), `${file}: ${line}`);
          explained = false;
        }
      }
    });
  }

  it("let dev, ci and a person's own stack stand on one machine: no port is in two of them", () => {
    const ports = ["dev", "ci"].flatMap((stack) =>
      Object.values(readStackFile(stack).settings.cluster.ports),
    );
    assert.equal(new Set(ports).size, 8);
  });

  it("have production keep its data, its TLS and its five nodes apart", () => {
    const { settings } = readStackFile("prod");
    assert.equal(settings.vault.replicas, 5);
    assert.deepEqual(settings.teardown, { retainData: true, protected: true });
    assert.equal(settings.vault.tls?.source, "secret");
    assert.ok(settings.cluster.existing);
    const { server } = loadVaultValues(settings, loadSources()) as {
      server: { topologySpreadConstraints: { whenUnsatisfiable: string }[]; dataStorage: object };
    };
    assert.equal(server.topologySpreadConstraints[0]?.whenUnsatisfiable, "DoNotSchedule");
    assert.deepEqual(server.dataStorage, { enabled: true, size: "20Gi", storageClass: "fast" });
  });
});
