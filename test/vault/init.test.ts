import assert from "node:assert/strict";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RecordingProxy } from "../support/recording-proxy.ts";
import type { Ran, RunOptions } from "../support/step-process.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

const keysFile = (stack: VaultStack) => join(stack.stackDir, "vault-init.json");
const initialised = async (stack: VaultStack) => (await stack.nodes.at(0).get("sys/seal-status")).initialized;

/** Runs init, and `meanwhile` while the answer of the one call that cannot be repeated is on its way. */
async function initWhileHeld(
  stack: VaultStack,
  meanwhile: NonNullable<RunOptions["started"]>,
  options: RunOptions = {},
): Promise<Ran> {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const proxy = await RecordingProxy.before(stack.nodes.at(0).address, async (request) => {
    if (request === "PUT /v1/sys/init") {
      asked.resolve();
      await release.promise;
    }
    return true;
  });
  stack.instead["vault-0"] = proxy.address;
  try {
    return await stack.init(
      {},
      {
        ...options,
        started: async (child) => {
          await asked.promise;
          await meanwhile(child);
          release.resolve();
        },
      },
    );
  } finally {
    await proxy.end();
    delete stack.instead["vault-0"];
  }
}

describe("init, of a Vault that is initialised", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let kept: string;

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.init();
    kept = await readFile(keysFile(stack), "utf8");
  });
  afterEach(async () => {
    stack.nodes.at(0).store = 1;
    await rm(keysFile(stack), { force: true });
    await writeFile(keysFile(stack), kept, { mode: 0o600 });
  });
  after(async function () {
    await stack?.end(this);
  });

  it("refuses a keys file that others may read, with the command that mends it", async () => {
    await chmod(keysFile(stack), 0o644);
    assertRefused(await stack.init(), "mode 0644", `Next: chmod 600 ${keysFile(stack)}`);
    await chmod(keysFile(stack), 0o600);
    assert.equal((await stack.init()).code, 0);
  });

  it("refuses keys of another store for a Vault that is initialised", async () => {
    stack.nodes.at(0).store = 7;
    assertRefused(
      await stack.init(),
      "keys of vault-0-store-1, found vault-0-store-7",
      "Nothing was changed",
    );
  });

  it("refuses a keys file of another stack", async () => {
    assertRefused(await stack.init({ stack: "prod" }), "pod vault-0 of stack dev, not to vault-0 of prod");
  });

  it("says that a Vault was initialised by somebody else where it has no keys for it", async () => {
    await rm(keysFile(stack));
    assertRefused(await stack.init(), "initialised already, and not by this stack", keysFile(stack));
  });

  it("refuses a keys file that it cannot read, and does not show what is in it", async () => {
    await writeFile(keysFile(stack), `{"shares": ["${stack.keys.shares[0]}"`);
    const ran = await stack.init();
    assertRefused(ran, "is not a keys file", "Keep it");
    assert.ok(!ran.stderr.includes(stack.keys.shares[0] ?? "no share"));
  });
});

describe("init, of a blank store behind a known identity", function () {
  this.timeout(60_000);
  let stack: VaultStack;

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.init();
    await stack.nodes.at(0).blank();
  });
  afterEach(async () => {
    assert.equal(await initialised(stack), false);
  });
  after(async function () {
    await stack?.end(this);
  });

  it("is refused, and both are named", async () => {
    const before = await readFile(keysFile(stack), "utf8");
    const ran = await stack.init();
    assertRefused(
      ran,
      "Known store: vault-0-store-1",
      "found: vault-0-store-2, blank",
      "not initialised again",
    );
    assert.equal(await readFile(keysFile(stack), "utf8"), before);
    for (const share of stack.keys.shares) assert.ok(!ran.stderr.includes(share));
  });

  it("is refused also where the store was emptied in place", async () => {
    stack.nodes.at(0).store = 1;
    assertRefused(await stack.init(), "Known store: vault-0-store-1; found: vault-0-store-1, blank");
    stack.nodes.at(0).store = 2;
  });
});

describe("init, ended in the middle", function () {
  this.timeout(60_000);
  let stack: VaultStack;

  beforeEach(async () => {
    stack = await VaultStack.start(1);
  });
  afterEach(async function () {
    delete stack.instead["vault-0"];
    await stack.end(this);
  });

  it("goes on from an intent whose call never reached Vault", async () => {
    await stack.init();
    const { answer: _, ...intent } = JSON.parse(await readFile(keysFile(stack), "utf8"));
    await stack.nodes.at(0).blank();
    stack.nodes.at(0).store = 1;
    await writeFile(keysFile(stack), JSON.stringify(intent));
    const ran = await stack.init();
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await stack.unseal("vault-0")).code, 0);
  });

  it("detects that the answer was lost between Vault and the disk, and names the way out", async () => {
    const lose = (asked: string) => asked !== "PUT /v1/sys/init";
    const proxy = await RecordingProxy.before(stack.nodes.at(0).address, lose);
    stack.instead["vault-0"] = proxy.address;
    const first = await stack.init();
    await proxy.end();
    delete stack.instead["vault-0"];
    assertRefused(first, "Whether vault-0 is initialised now is not known");
    assert.equal(await initialised(stack), true);
    const second = await stack.init();
    assertRefused(
      second,
      "its keys never reached the disk",
      "vault-0-store-1",
      "delete pvc/data-vault-0 pod/vault-0 && pulumi config set vault.giveUp vault-0-store-1 --stack dev",
    );
  });

  for (const [what, prepare] of [
    ["is unsealed", async () => assert.equal((await stack.unseal("vault-0")).code, 0)],
    ["runs on another store now", async () => Object.assign(stack.nodes.at(0), { store: 7 })],
  ] as const)
    it(`calls no answer lost, and offers no fresh volume, where the node ${what}: somebody may have its keys`, async () => {
      await stack.init();
      await prepare();
      const { answer: _, custody: __, ...intent } = JSON.parse(await readFile(keysFile(stack), "utf8"));
      await writeFile(keysFile(stack), JSON.stringify(intent));
      const ran = await stack.init();
      assertRefused(ran, `${what}`, "somebody else has its keys", "Nothing was changed");
      assert.doesNotMatch(ran.stderr, /delete pvc/);
    });

  it("finishes the call that cannot be repeated, and has its answer on the disk, when a signal comes meanwhile", async () => {
    const ran = await initWhileHeld(stack, async (child) => {
      child.kill("SIGTERM");
      while (!child.stderr().includes("SIGTERM received")) await sleep(20);
    });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /initialised with 5 shares/);
    assert.deepEqual(JSON.parse(await readFile(keysFile(stack), "utf8")).answer.shares, ran.answer.shares);
    assert.equal((await stack.unseal("vault-0")).code, 0);
  });

  it("has the keys on the disk also where nobody is left to hear it, and prints them in the next run", async () => {
    // The signal makes it say something, into a pipe that is gone, while Vault is at work.
    const unheard = async (child: { kill(signal: NodeJS.Signals): void }) => {
      child.kill("SIGTERM");
      await sleep(300);
    };
    assert.equal((await initWhileHeld(stack, unheard, { unheard: true })).code, 143);
    const ran = await stack.init();
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /already initialised/);
    assert.equal((await stack.unseal("vault-0")).code, 0);
  });
});
