import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptKeys } from "../../operate/restore/original-keys.ts";
import { adminRules, policyText, stackRules } from "../../operate/rotation/policies.ts";
import { inWords, numbersProblem } from "../../operate/rotation/share-numbers.ts";

describe("the numbers of a rekey", () => {
  it("are what Vault takes", () => {
    for (const [shares, threshold] of [
      [1, 1],
      [2, 2],
      [5, 3],
    ] as const)
      assert.equal(numbersProblem({ shares, threshold }), undefined);
    assert.match(numbersProblem({ shares: 2, threshold: 3 }) ?? "", /3 of 2 shares cannot be/);
    assert.match(
      numbersProblem({ shares: 2, threshold: 1 }) ?? "",
      /at least 2 where there is more than one share/,
    );
  });

  it("are told in words", () => {
    assert.equal(inWords({ shares: 5, threshold: 3 }), "5 shares, of which 3 open Vault");
    assert.equal(inWords({ shares: 1, threshold: 1 }), "1 share, of which 1 opens Vault");
  });
});

describe("a policy", () => {
  it("is written in Vault's language, a comment at each path", () => {
    assert.equal(
      policyText([{ path: "sys/rotate", may: ["update", "sudo"], why: "rotate" }]),
      '# rotate\npath "sys/rotate" {\n  capabilities = ["update", "sudo"]\n}\n',
    );
  });

  it("of the stack gives no way to more: no policy, no login, no token, no engine of somebody's", () => {
    for (const { path, may } of stackRules) {
      assert.doesNotMatch(path, /^sys\/(raw|seal)|^identity/);
      assert.ok(!path.startsWith("*") && !path.startsWith("sys/*"), path);
      // To look at the login of scheduled snapshots opens nothing.
      if (may.every((each) => each === "read")) continue;
      assert.doesNotMatch(path, /^sys\/(policies|policy|auth)/);
      assert.doesNotMatch(path, /^auth\/(?!token\/(lookup|renew|revoke)-self$)/);
    }
  });

  it("of the administrator reads no engine", () => {
    assert.deepEqual(
      adminRules.map(({ path }) => path),
      ["sys/*", "auth/*", "identity/*"],
    );
  });
});

describe("the keys of a snapshot's time", () => {
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  after(() => rmSync(folder, { recursive: true }));
  const journal = (name: string, share: string, more = {}) =>
    writeFileSync(
      join(folder, name),
      JSON.stringify({
        threshold: 1,
        answer: { shares: [share], rootToken: "t" },
        custody: { clusterId: "one" },
        ...more,
      }),
    );
  const found = (savedAt?: string) => keptKeys(folder, "one", savedAt, () => {})?.shares[0];

  it("are the journal's where they were never changed, also for a snapshot of which nothing is noted", () => {
    journal("vault-init.json", "now");
    assert.deepEqual([found("2026-01-01T00:00:00.000Z"), found()], ["now", "now"]);
  });

  it("are those that were good then, where they were changed since", () => {
    journal("vault-init.until-a.json", "first", { replacedAt: "2026-02-01T00:00:00.000Z" });
    journal("vault-init.until-b.json", "second", { replacedAt: "2026-03-01T00:00:00.000Z" });
    assert.equal(found("2026-01-15T00:00:00.000Z"), "first");
    assert.equal(found("2026-02-15T00:00:00.000Z"), "second");
    assert.equal(found("2026-03-15T00:00:00.000Z"), "now");
    assert.equal(found(), undefined, "which ones is not known: they are asked for");
  });
});
