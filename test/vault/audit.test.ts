import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("the audit log of a real Vault", function () {
  this.timeout(60_000);
  let stack: VaultStack;

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
    assert.equal((await stack.verify({ pods: ["vault-0"] })).code, 0);
  });
  after(async function () {
    await stack?.end(this);
  });
  const file = () => join(stack.nodes.folder, "audit.log");
  const audit = (path = file()) => stack.run("audit", { pods: ["vault-0"], token: stack.token, file: path });

  it("is written from then on, readable by Vault alone, and without the token in it", async () => {
    const ran = await audit();
    assert.equal(ran.code, 0, ran.stderr);
    await stack.nodes.at(0).get("sys/mounts", stack.token);
    const log = readFileSync(file(), "utf8");
    assert.match(log, /"path":"sys\/mounts"/);
    for (const secret of stack.secrets()) assert.ok(!log.includes(secret));
    assert.equal(statSync(file()).mode & 0o077, 0);
  });

  it("is left alone where it is there already", async () => {
    const ran = await audit();
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /writes to .*audit\.log already/);
  });

  it("is not turned to another file behind the back of whoever enabled it", async () => {
    assertRefused(
      await audit("/elsewhere.log"),
      `writes to ${file()}, not to /elsewhere.log`,
      "vault audit list",
    );
  });
});
