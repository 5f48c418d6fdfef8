import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ran } from "../support/step-process.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("the identity of a stack's Vault", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  /** What the state keeps of the first run. */
  let pinned: string;
  let cluster = "cluster-one";

  const identity = (more: object = {}, before?: string): Promise<Ran> => {
    const { reach } = stack.target();
    return stack.run(
      "identity",
      { pods: stack.pods, reach: { ...reach, cluster }, ...more },
      before === undefined ? {} : { env: { PULUMI_COMMAND_STDOUT: before } },
    );
  };

  before(async () => {
    stack = await VaultStack.start(2);
  });
  afterEach(() => {
    cluster = "cluster-one";
    for (const node of stack.nodes.nodes) node.store = 1;
  });
  after(async function () {
    await stack?.end(this);
  });

  it("is pinned at the first run: the cluster, and the store of each pod", async () => {
    const ran = await identity();
    assert.equal(ran.code, 0, ran.stderr);
    const stores = { "vault-0": "vault-0-store-1", "vault-1": "vault-1-store-1" };
    assert.deepEqual(ran.answer, { kubernetes: "cluster-one", stores });
    pinned = ran.stdout;
    assert.equal((await identity({}, pinned)).stdout, pinned);
  });

  it("refuses another Kubernetes cluster, and names both", async () => {
    cluster = "cluster-two";
    assertRefused(
      await identity({}, pinned),
      "another Kubernetes cluster",
      "Known: cluster-one; found: cluster-two",
      "no share was sent",
    );
  });

  it("refuses another store, says that it is blank, and names both and the setting that gives the known one up", async () => {
    stack.nodes.at(1).store = 2;
    assertRefused(
      await identity({}, pinned),
      "vault-1 runs on another store",
      "Known: vault-1-store-1; found: vault-1-store-2 (blank)",
      "pulumi config set vault.giveUp vault-1-store-1 --stack dev",
    );
  });

  it("refuses stores that were swapped between pods, and says so", async () => {
    const { reach } = stack.target();
    const stores = { "vault-0": "vault-1-store-1", "vault-1": "vault-0-store-1" };
    assertRefused(
      await identity({ reach: { ...reach, stores, cluster } }, pinned),
      "found: vault-1-store-1, which was the store of vault-1",
      "found: vault-0-store-1, which was the store of vault-0",
    );
  });

  it("takes another store where the known one was given up, and knows the new one from then on", async () => {
    stack.nodes.at(1).store = 2;
    const giveUp = ["vault-1-store-1"];
    const ran = await identity({ giveUp }, pinned);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /vault-1: vault-1-store-1 was given up; vault-1-store-2 takes its place/);
    assert.equal(ran.answer.stores["vault-1"], "vault-1-store-2");
    assert.equal((await identity({ giveUp }, ran.stdout)).code, 0);
    // What was given up once does not let a third one in.
    stack.nodes.at(1).store = 3;
    assertRefused(await identity({ giveUp }, ran.stdout), "found: vault-1-store-3");
  });

  it("forgets the store of a pod that the stack runs no more: its volume has gone with it", async () => {
    const ran = await identity({ pods: ["vault-0"] }, pinned);
    assert.deepEqual(Object.keys(ran.answer.stores), ["vault-0"]);
  });

  it("is known from the journal where the state is lost", async () => {
    await stack.init();
    assert.equal((await identity()).code, 0);
    stack.nodes.at(0).store = 2;
    assertRefused(await identity(), "Known: vault-0-store-1; found: vault-0-store-2 (not blank)");
  });

  it("refuses a Vault of another cluster id on the known store, and names both", async () => {
    const before = (await stack.unseal("vault-0")).answer;
    const other = { ...before, clusterId: "11111111-2222-3333-4444-555555555555" };
    const again = (more: object) =>
      stack.run(
        "unseal",
        { pod: "vault-0", shares: stack.keys.shares, threshold: 3, ...more },
        { env: { PULUMI_COMMAND_STDOUT: JSON.stringify(other) } },
      );
    assertRefused(
      await again({}),
      `Known cluster id: ${other.clusterId}; found: ${before.clusterId}`,
      `vault.giveUp ${other.clusterId}`,
    );
    assert.equal((await again({ giveUp: [other.clusterId] })).answer.clusterId, before.clusterId);
    assertRefused(
      await stack.verify({ pods: ["vault-0"], clusterId: other.clusterId }),
      "another Vault answers than the stack knows",
      `found: ${before.clusterId} (vault-0)`,
    );
  });
});

describe("a stack that begins anew", function () {
  this.timeout(60_000);
  let stack: VaultStack;

  before(async () => {
    stack = await VaultStack.start(1);
  });
  after(async function () {
    await stack?.end(this);
  });

  it("initialises a fresh store only where the known one was given up, and keeps the old keys", async () => {
    await stack.init();
    const old = stack.keys.shares;
    await stack.nodes.at(0).blank();
    assertRefused(
      await stack.init(),
      "Known store: vault-0-store-1; found: vault-0-store-2, blank",
      "pulumi config set vault.giveUp vault-0-store-1 --stack dev",
    );
    const ran = await stack.init({ giveUp: ["vault-0-store-1"] });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(
      ran.stderr,
      /store vault-0-store-1 was given up; its keys are kept in .*vault-init\.vault-0-store-1\.json/,
    );
    assert.equal(ran.answer.pvcUid, "vault-0-store-2");
    const aside = JSON.parse(await readFile(join(stack.stackDir, "vault-init.vault-0-store-1.json"), "utf8"));
    assert.deepEqual(aside.answer.shares, old);
    assert.equal((await stack.unseal("vault-0")).code, 0);
  });

  it("does not begin anew in the known store itself, though that was given up and is blank", async () => {
    await stack.nodes.at(0).blank();
    stack.nodes.at(0).store = 2;
    assertRefused(await stack.init({ giveUp: ["vault-0-store-2"] }), "blank", "not initialised again");
  });
});
