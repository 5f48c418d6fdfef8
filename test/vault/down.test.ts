import assert from "node:assert/strict";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("a cluster with a node that is away", function () {
  this.timeout(60_000);
  let stack: VaultStack;

  before(async () => {
    stack = await VaultStack.start(3);
    await stack.raise();
  });
  after(async function () {
    await stack?.end(this);
  });
  const three = ["vault-0", "vault-1", "vault-2"];

  it("is not proved while a follower is down, and is again when it is back and unsealed", async () => {
    await stack.nodes.at(2).stop();
    assertRefused(
      await stack.verify({ pods: three, timeoutSeconds: 2 }),
      "vault-2 did not answer GET /v1/sys/seal-status",
    );
    await stack.nodes.at(2).start();
    assertRefused(await stack.verify({ pods: three, timeoutSeconds: 1 }), "Last seen: ");
    await stack.unseal("vault-2");
    const ran = await stack.verify({ pods: three });
    assert.equal(ran.code, 0, ran.stderr);
  });

  it("is proved under another leader after the first one was killed", async () => {
    await stack.nodes.at(0).stop("SIGKILL");
    await stack.nodes.at(0).start();
    assert.equal((await stack.unseal("vault-0")).code, 0);
    const ran = await stack.verify({ pods: three });
    assert.equal(ran.code, 0, ran.stderr);
    assert.notEqual(ran.answer.leader, "vault-0");
  });

  it("says within its limit that a frozen node gave no answer", async () => {
    stack.nodes.at(1).freeze();
    const ran = await stack.voter("vault-1", { timeoutSeconds: 3 });
    stack.nodes.at(1).thaw();
    assertRefused(ran, "for vault-1 to be a healthy voter", "no answer within");
    assert.ok(ran.seconds < 12, `${ran.seconds} s`);
  });

  it("refuses to join a blank node under the name of one that has a vote", async () => {
    await stack.nodes.at(2).blank();
    const ran = await stack.join("vault-2", { leader: "vault-1" });
    assertRefused(
      ran,
      "vault-2 is blank, but stands in the raft configuration with a vote",
      "remove-peer vault-2",
    );
    assert.equal((await stack.nodes.at(2).get("sys/seal-status")).initialized, false);
  });

  it("takes it in again when its old self was removed", async () => {
    const { data } = await stack.nodes.at(1).get("sys/storage/raft/autopilot/state", stack.token);
    const { leader } = data as { leader: string };
    const leading = stack.nodes.nodes.find(({ name }) => name === leader);
    await leading?.send("POST", "sys/storage/raft/remove-peer", { server_id: "vault-2" }, stack.token);
    for (const step of ["join", "unseal", "voter"] as const) {
      const ran = await stack[step]("vault-2", step === "join" ? { leader: "vault-1" } : {});
      assert.equal(ran.code, 0, ran.stderr);
    }
  });

  it("names a server that the stack does not run", async () => {
    const ran = await stack.verify({ pods: ["vault-0", "vault-1"] });
    assertRefused(
      ran,
      "the raft configuration has vault-2, which this stack does not run",
      "remove-peer vault-2",
    );
  });
});

describe("a cluster that is in use", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  before(async () => {
    stack = await VaultStack.start(2);
    await stack.raise(1);
    // An unsealed node is not yet one that leads.
    assert.equal((await stack.verify({ pods: ["vault-0"] })).code, 0);
  });
  after(async function () {
    await stack?.end(this);
  });

  it("keeps its stabilization time when a node joins", async () => {
    await stack.nodes.at(0).send("POST", "sys/mounts/secret", { type: "kv" }, stack.token);
    const ran = await stack.join("vault-1");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /the cluster is in use \(secret\/\)/);
    const { data } = await stack.nodes.at(0).get("sys/storage/raft/autopilot/configuration", stack.token);
    assert.equal((data as { server_stabilization_time: string }).server_stabilization_time, "10s");
  });
});

describe("a cluster whose autopilot gives no votes", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  before(async () => {
    stack = await VaultStack.start(3, { reconcile: { interval: "1h", update: "500ms" } });
    await stack.raise(1);
    for (const step of ["join", "unseal"] as const) await stack[step]("vault-1");
  });
  after(async function () {
    await stack?.end(this);
  });

  it("is reported with autopilot's own view of the server that waits", async () => {
    const ran = await stack.voter("vault-1", { timeoutSeconds: 3 });
    assertRefused(ran, /autopilot says of vault-1: status non-voter, (not )?healthy.*raft index \d+ of \d+/);
  });

  it("lets no other node join meanwhile", async () => {
    const ran = await stack.join("vault-2", { timeoutSeconds: 2 });
    assertRefused(ran, "vault-1 is joining and has no vote yet");
    assert.equal((await stack.nodes.at(2).get("sys/seal-status")).initialized, false);
  });
});
