import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { show } from "../../components/values-file.ts";
import { vaultValues } from "../../components/vault-values.ts";
import { readSettings } from "../../config.ts";
import { anySettings, knownKeys } from "../support/any-settings.ts";
import { anyValuesFile } from "../support/any-values-file.ts";
import { type Registered, runProgram } from "../support/program.ts";

/** What a program's own words do not have in them. */
const strange =
  /TypeError|RangeError|ReferenceError|Maximum call stack|\n\s+at .*:\d+:\d+|\[object |ERR_(?!INVALID_ARG_VALUE)|is not a function|of undefined/;

describe("any configuration", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-any-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is accepted, or refused with the key and the command that mends it", () => {
    fc.assert(
      fc.property(anySettings, (given) => {
        const { settings, problems } = readSettings(given);
        assert.equal(settings === undefined, problems.length > 0);
        const named = [...knownKeys, ...Object.keys(given).flatMap((key) => [key, show(key)])];
        for (const problem of problems) {
          assert.ok(
            named.some((key) => problem.startsWith(`${key}: `)),
            problem,
          );
          assert.match(problem, /\n {4}pulumi config (set|rm) \S[^\n]*$/);
          assert.ok(problem.length < 1000, `${problem.length} characters: ${problem}`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is mended by the commands that its refusals give", () => {
    fc.assert(
      fc.property(anySettings, (given) => {
        const known = Object.fromEntries(Object.entries(given).filter(([key]) => knownKeys.includes(key)));
        let { problems } = readSettings(known);
        // What one value hides, the next round shows: four ports can meet one after the other.
        for (let round = 0; round < 5 && problems.length > 0; round++) {
          for (const problem of problems) {
            const [, key = "", value] = /pulumi config (?:set|rm) (\S+)(?: (\S+))?$/.exec(problem) ?? [];
            // Somebody's own: any that fits, where there was none; where one did not fit, none.
            const own = value === "<value>" && known[key] === undefined;
            if (own) known[key] = key.endsWith(".address") ? "https://x" : "x";
            else if (value === undefined || value === "<value>") delete known[key];
            else known[key] = value;
          }
          ({ problems } = readSettings(known));
        }
        assert.deepEqual(problems, []);
      }),
      { numRuns: 1000 },
    );
  });

  it("of Vault is accepted, or refused with the file and what to do", () => {
    const file = join(folder, "values.yaml");
    fc.assert(
      fc.property(anyValuesFile, fc.boolean(), (content, tls) => {
        writeFileSync(file, content);
        const { values, problems } = vaultValues({
          replicas: 3,
          storageSize: "10Gi",
          performanceMultiplier: 5,
          image: { repository: "hashicorp/vault", tag: "2.0.4" },
          ownFile: file,
          ...(tls && { tls: { secretName: "tls" } }),
        });
        for (const problem of problems) {
          assert.ok(problem.startsWith(`${file}: `), problem);
          assert.match(problem, /\n {4}\S[^\n]*$/);
          assert.doesNotMatch(problem, strange);
        }
        // What is accepted goes over the wire as JSON.
        if (problems.length === 0) assert.deepEqual(JSON.parse(JSON.stringify(values)), values);
      }),
      { numRuns: 1000 },
    );
  });

  // An accepted one declares everything, which takes 0.06 s; a refused one 2 ms. 300 runs are enough to meet every
  // kind of refusal, and the parts are tried 1,000 times above.
  it("is declared as a whole, or refused before anything is, in the program's own words", async () => {
    const file = join(folder, "own.yaml");
    const outcomes = { accepted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(anySettings, fc.option(anyValuesFile, { freq: 3 }), async (given, content) => {
        if (content !== null) writeFileSync(file, content);
        const config = content === null ? given : { ...given, "vault.valuesFile": file };
        const declared = new Map<string, Registered>();
        try {
          await runProgram({ config, declared });
          outcomes.accepted++;
          assert.ok(declared.has("lifecycle-verify"));
        } catch (error) {
          outcomes.refused++;
          assert.ok(error instanceof pulumi.RunError, String((error as Error).stack));
          assert.deepEqual([...declared.keys()], []);
          assert.match(error.message, /; nothing was changed\.\n {2}\S[\s\S]*\n {2,4}\S[^\n]*$/);
          assert.doesNotMatch(error.message, strange);
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(outcomes.accepted > 20 && outcomes.refused > 20, JSON.stringify(outcomes));
  });
});
