import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { VaultStack } from "../support/vault-stack.ts";

/** Each test goes on where the one before it ended, as a run does. */
describe("the steps, from three blank nodes to a proved cluster", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let proxy: RecordingProxy;

  before(async () => {
    stack = await VaultStack.start(3);
    proxy = await RecordingProxy.before(stack.nodes.at(1).address);
  });
  after(async function () {
    await proxy?.end();
    await stack?.end(this);
  });

  const stabilization = async () => {
    const { data } = await stack.nodes.at(0).get("sys/storage/raft/autopilot/configuration", stack.token);
    return (data as { server_stabilization_time: string }).server_stabilization_time;
  };

  it("initialises vault-0 once, and prints the same keys when it runs again", async () => {
    const first = await stack.init();
    assert.equal(first.code, 0, first.stderr);
    assert.equal(first.answer.pod, "vault-0");
    assert.equal(first.answer.pvcUid, "vault-0-store-1");
    assert.equal(first.answer.shares.length, 5);
    const second = await stack.init();
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(second.answer, first.answer);
    assert.match(second.stderr, /already initialised at \d{4}-/);
  });

  it("keeps the keys in a file that only its owner can read, in a folder that only its owner can enter", async () => {
    const file = join(stack.stackDir, "vault-init.json");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(stack.stackDir)).mode & 0o777, 0o700);
    const keys = JSON.parse(await readFile(file, "utf8"));
    assert.equal(keys.stack, "dev");
    assert.equal(keys.pod, "vault-0");
    assert.deepEqual(keys.answer.shares, stack.keys.shares);
    assert.equal(keys.answer.rootToken, stack.token);
  });

  it("unseals vault-0, and leaves it alone when it runs again", async () => {
    const first = await stack.unseal("vault-0");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.answer.clusterId, /^[0-9a-f-]{36}$/);
    assert.equal(first.answer.store, "vault-0-store-1");
    assert.equal((await stack.nodes.at(0).get("sys/seal-status")).sealed, false);
    const second = await stack.unseal("vault-0");
    assert.deepEqual(second.answer, first.answer);
    assert.match(second.stderr, /already unsealed/);
  });

  it("notes in the journal that the shares from the state opened the store, with Vault's cluster id", async () => {
    const { custody } = JSON.parse(await readFile(join(stack.stackDir, "vault-init.json"), "utf8"));
    const { cluster_id } = await stack.nodes.at(0).get("sys/seal-status");
    assert.equal(custody.clusterId, cluster_id);
    assert.match(custody.provedAt, /^\d{4}-/);
  });

  it("says of a missing voter what is not there, as long as the others have not joined", async () => {
    const ran = await stack.verify({ timeoutSeconds: 1 });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /limit of 1 s is reached\. Last seen: .*vault-1 .*; vault-2 /);
  });

  it("has vault-1 join the forming cluster with a quick promotion, and asks it once only", async () => {
    stack.instead["vault-1"] = proxy.address;
    const first = await stack.join("vault-1");
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(first.answer, { pod: "vault-1", leader: "vault-0" });
    assert.equal(await stabilization(), "1s");
    const second = await stack.join("vault-1");
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /has joined before/);
    assert.equal(proxy.count("POST /v1/sys/storage/raft/join"), 1);
  });

  it("sends a joining node no share beyond the threshold, and waits until it says it is unsealed", async () => {
    const ran = await stack.unseal("vault-1");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(proxy.count("PUT /v1/sys/unseal"), 3);
    assert.equal((await stack.nodes.at(1).get("sys/seal-status")).sealed, false);
    await stack.unseal("vault-1");
    assert.equal(proxy.count("PUT /v1/sys/unseal"), 3);
  });

  it("waits until vault-1 has a vote and autopilot calls it healthy", async () => {
    for (const ran of [await stack.voter("vault-1"), await stack.voter("vault-1")]) {
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(ran.answer, { pod: "vault-1", voter: true });
    }
    const { data } = await stack.nodes.at(0).get("sys/storage/raft/autopilot/state", stack.token);
    assert.ok((data as { voters: string[] }).voters.includes("vault-1"));
  });

  it("brings vault-2 in after it, and proves three voters with one leader", async () => {
    for (const step of ["join", "unseal", "voter"] as const) await stack[step]("vault-2");
    const first = await stack.verify();
    assert.equal(first.code, 0, first.stderr);
    const { leader, peers, failureTolerance } = first.answer;
    assert.equal(leader, "vault-0");
    assert.equal(failureTolerance, 1);
    assert.deepEqual(
      peers.map(({ node, state, voter }: Record<string, unknown>) => `${node} ${state} ${voter}`),
      ["vault-0 leader true", "vault-1 follower true", "vault-2 follower true"],
    );
    const second = await stack.verify();
    assert.deepEqual(second.answer, first.answer);
  });

  it("leaves no test value behind", async () => {
    await assert.rejects(stack.nodes.at(0).send("LIST", "cubbyhole", undefined, stack.token), /404/);
  });

  it("puts the stabilization time back, also when the run that lowered it was killed", async () => {
    assert.equal(await stabilization(), "10s");
    const path = "sys/storage/raft/autopilot/configuration";
    await stack.nodes.at(0).send("POST", path, { server_stabilization_time: "1s" }, stack.token);
    assert.match((await stack.verify()).stderr, /server_stabilization_time is 10s again \(it was 1s\)/);
    assert.equal(await stabilization(), "10s");
  });

  it("keeps a longer stabilization time, which somebody chose", async () => {
    const path = "sys/storage/raft/autopilot/configuration";
    await stack.nodes.at(0).send("POST", path, { server_stabilization_time: "30s" }, stack.token);
    assert.equal((await stack.verify()).code, 0);
    assert.equal(await stabilization(), "30s");
  });

  it("shows no share and no token in its words, on its command line or in its environment", () => {
    assert.ok(stack.ran.length > 15);
    for (const { stderr, seen } of stack.ran) {
      assert.match(seen, /steps\//, "the command line was not seen");
      for (const secret of stack.secrets()) {
        assert.ok(!stderr.includes(secret), "a secret is on stderr");
        assert.ok(!seen.includes(secret), "a secret is in the command line or the environment");
      }
    }
  });
});
