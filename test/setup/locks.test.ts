import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { freeDeadLocks, holder, readLocks } from "../../setup/locks.ts";
import { nameOf, poll } from "../../setup/processes.ts";

describe("locks of Pulumi's file backend", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const lock = (pid: number, host = hostname()) => {
    const locks = join(folder, ".pulumi/locks/organization/vault-ha/dev");
    mkdirSync(locks, { recursive: true });
    const file = join(locks, `${pid}.json`);
    const content = { pid, username: "ann", hostname: host, timestamp: "2026-11-23T10:11:12.5Z" };
    writeFileSync(file, JSON.stringify(content));
    return file;
  };
  const free = () => freeDeadLocks(`file://${folder}`, "vault-ha", "dev");

  it("of a process that is gone are removed, and named", () => {
    const file = lock(4_194_300);
    const { removed, held } = free();
    assert.equal(existsSync(file), false);
    assert.deepEqual(held, []);
    assert.deepEqual(removed.map(holder), [
      `process 4194300 of ann on ${hostname()}, since 2026-11-23 10:11:12`,
    ]);
  });

  it("of a process that is gone can be looked at, and stay", () => {
    const file = lock(4_194_300);
    const { dead, held } = readLocks(`file://${folder}`, "vault-ha", "dev");
    assert.deepEqual([dead.length, held.length], [1, 0]);
    assert.ok(existsSync(file));
  });

  it("are removed where the number belongs to another program by now", () => {
    const file = lock(process.pid);
    assert.equal(free().removed.length, 1);
    assert.equal(existsSync(file), false);
  });

  it("of a pulumi that runs stay", async () => {
    // A program of that name: sleep, as pulumi.
    copyFileSync("/bin/sleep", join(folder, "pulumi"));
    const child = spawn(join(folder, "pulumi"), ["60"]);
    const pid = child.pid as number;
    try {
      await poll(() => nameOf(pid) === "pulumi" || undefined, { forMs: 5_000, everyMs: 10 });
      const file = lock(pid);
      assert.equal(free().held.length, 1);
      assert.ok(existsSync(file));
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("from another machine stay: its processes cannot be seen from here", () => {
    lock(4_194_300, "elsewhere");
    assert.deepEqual(free().held.map(holder), [
      "process 4194300 of ann on elsewhere, since 2026-11-23 10:11:12",
    ]);
  });

  it("of another stack, or of a backend that is no folder, are none of ours", () => {
    lock(4_194_300);
    assert.deepEqual(freeDeadLocks(`file://${folder}`, "vault-ha", "prod"), { removed: [], held: [] });
    assert.deepEqual(freeDeadLocks("s3://bucket", "vault-ha", "dev"), { removed: [], held: [] });
  });
});
