import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemsOf } from "../../operate/restore/plan.ts";
import { listSnapshots } from "../../operate/snapshot/list.ts";
import { bytes, listText } from "../../operate/snapshot/text.ts";
import { ago } from "../../operate/status/text.ts";
import type { SnapshotRecord } from "../../steps/lib/snapshot-record.ts";
import { StateKeys } from "../../steps/lib/snapshot-state.ts";

const record: SnapshotRecord = {
  version: 1,
  stack: "dev",
  clusterId: "one",
  savedAt: "2026-11-25T12:00:00.000Z",
  index: 40,
  term: 3,
  size: 4,
  sha256: "aa",
};
const facts = { size: 4, sha256: "aa", index: 40, term: 3, servers: ["vault-0"], entries: 9, sealed: true };
const live = { leader: "vault-0", clusterId: "one", index: 50, version: "1.21.1" };

describe("what speaks against a restore", () => {
  const problems = (more: Partial<Parameters<typeof problemsOf>[0]>, from?: string) =>
    problemsOf({ file: "x.snap", facts, record, live, begun: undefined, ...more }, from);

  it("is nothing where the snapshot is of the Vault that runs", () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(problems({ record: undefined }), [], "Vault itself judges one without a record");
  });

  it("is another Vault, unless that one is named", () => {
    const other = { record: { ...record, clusterId: "other" } };
    assert.match(problems(other).join(), /of another Vault: of other, and one runs.*--from-cluster other/);
    assert.deepEqual(problems(other, "other"), []);
    assert.match(problems(other, "third").join(), /a snapshot of the Vault other, not of third/);
  });

  it("is a newer minor version of Vault, and no patch release", () => {
    const by = (vaultVersion: string) => problems({ facts: { ...facts, vaultVersion } });
    assert.match(by("1.22.0").join(), /Vault 1\.22\.0 has written it, and 1\.21\.1 runs/);
    assert.match(by("2.0.0").join(), /Vault 2\.0\.0 has written it/);
    for (const version of ["1.21.9", "1.20.4", "0.99.0"]) assert.deepEqual(by(version), []);
  });

  it("is everything at once", () => {
    const found = problems({
      record: { ...record, clusterId: "other", sha256: "bb" },
      facts: { ...facts, vaultVersion: "2.1.0" },
    });
    assert.equal(found.length, 3);
  });
});

describe("the names in a snapshot's state", () => {
  const entry = (name: string, content: string) => {
    const field = (tag: number, text: string) =>
      Buffer.concat([Buffer.from([tag]), length(Buffer.byteLength(text)), Buffer.from(text)]);
    const message = Buffer.concat([field(0x0a, name), field(0x12, content)]);
    return Buffer.concat([length(message.length), message]);
  };
  const length = (n: number): Buffer => Buffer.from(n < 128 ? [n] : [(n & 0x7f) | 0x80, n >> 7]);
  const seal = { type: "shamir", secret_shares: 5, secret_threshold: 3 };
  const state = Buffer.concat([
    entry("core/seal-config", JSON.stringify(seal)),
    entry("core/versions/1.9.10", "x".repeat(300)),
    entry("core/versions/1.21.1", "{}"),
    entry("logical/a", "y".repeat(5000)),
  ]);

  for (const piece of [1, 3, 7, 64, 100_000])
    it(`are the same in pieces of ${piece} bytes`, () => {
      const keys = new StateKeys();
      for (let at = 0; at < state.length; at += piece) keys.push(state.subarray(at, at + piece));
      assert.deepEqual(keys.end(), {
        entries: 4,
        vaultVersion: "1.21.1",
        seal: { type: "shamir", shares: 5, threshold: 3 },
      });
    });

  it("are not whole where the last entry is cut", () => {
    const keys = new StateKeys();
    keys.push(state.subarray(0, state.length - 1));
    assert.throws(() => keys.end(), /ends in the middle of an entry/);
  });
});

describe("the snapshots of a stack", () => {
  it("are listed with the newest first, and with what is noted beside them", async () => {
    const stackDir = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    try {
      assert.deepEqual(await listSnapshots(stackDir), []);
      const folder = join(stackDir, "snapshots");
      mkdirSync(folder);
      for (const name of ["noted.snap", "by-hand.snap", ".half.tmp"])
        writeFileSync(join(folder, name), "four");
      writeFileSync(join(folder, "noted.snap.json"), JSON.stringify(record));
      utimesSync(join(folder, "by-hand.snap"), new Date(0), new Date("2026-11-25T13:00:00Z"));
      const listed = await listSnapshots(stackDir);
      assert.deepEqual(
        listed.map(({ file, savedAt }) => [file.slice(folder.length + 1), savedAt]),
        [
          ["by-hand.snap", "2026-11-25T13:00:00.000Z"],
          ["noted.snap", "2026-11-25T12:00:00.000Z"],
        ],
      );
      const text = listText("dev", listed);
      assert.match(text, /by-hand\.snap +2026-11-25T13:00:00\.000Z +not noted +4 bytes +not noted +never/);
      assert.match(text, /noted\.snap +2026-11-25T12:00:00\.000Z +40 +4 bytes +one +never/);
    } finally {
      rmSync(stackDir, { recursive: true });
    }
  });

  it("are told in words of people", () => {
    assert.deepEqual([10, 2048, 3.5 * 1024 ** 2].map(bytes), ["10 bytes", "2.0 KiB", "3.5 MiB"]);
    const now = new Date("2026-11-25T12:00:00Z");
    assert.deepEqual(
      ["2026-11-25T11:58:00Z", "2026-11-25T09:00:00Z", "2026-11-20T12:00:00Z", "2026-11-25T12:01:00Z"].map(
        (then) => ago(then, now),
      ),
      ["2 min", "3 h", "5 days", "0 min"],
    );
  });
});
