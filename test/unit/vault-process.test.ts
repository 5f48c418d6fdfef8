import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { eachVaultServer } from "../../steps/lib/vault-process.ts";

describe("the shell that finds Vault's server among processes", () => {
  let folder: string;
  const children: ChildProcess[] = [];

  /** A process that the kernel knows as vault, with these arguments. */
  async function vault(...args: string[]): Promise<number> {
    const child = spawn("./vault", args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
    children.push(child);
    await once(child.stdout, "data");
    return child.pid ?? assert.fail("no process");
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    symlinkSync("/bin/sh", join(folder, "vault"));
    for (const word of ["server", "status"]) writeFileSync(join(folder, word), "echo runs; read -r _");
  });
  after(async () => {
    for (const child of children) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    rmSync(folder, { recursive: true });
  });

  it("takes `vault server`, and not the `vault status` of a readiness probe, which ends by itself", async () => {
    const server = await vault("server", "-config=x");
    const status = await vault("status", "-tls-skip-verify");
    const { stdout } = await execa("sh", ["-c", eachVaultServer(`echo "\${process#/proc/}"`)]);
    const found = stdout.split("\n").map(Number);
    assert.ok(found.includes(server), stdout);
    assert.ok(!found.includes(status), stdout);
  });
});
