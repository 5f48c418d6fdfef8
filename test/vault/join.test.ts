import assert from "node:assert/strict";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

const challenge = "PUT /v1/sys/storage/raft/bootstrap/challenge";
const call = "POST /v1/sys/storage/raft/join";

describe("join, of a node that does not reach the leader", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let leader: RecordingProxy;
  let joining: RecordingProxy;
  /** How many calls to join have to come before the leader answers. */
  let callsInVain: number;

  before(async () => {
    stack = await VaultStack.start(2);
    await stack.raise(1);
    joining = await RecordingProxy.before(stack.nodes.at(1).address);
    leader = await RecordingProxy.before(
      stack.nodes.at(0).address,
      (asked) => asked !== challenge || joining.count(call) > callsInVain,
    );
    Object.assign(stack.instead, { "vault-0": leader.address, "vault-1": joining.address });
  });
  after(async function () {
    await leader?.end();
    await joining?.end();
    await stack?.end(this);
  });

  it("says at its limit what Vault says, and leaves the node blank", async () => {
    callsInVain = Number.POSITIVE_INFINITY;
    const ran = await stack.join("vault-1", { timeoutSeconds: 4 });
    assertRefused(ran, "vault-1 to join through http://", "failed to get raft challenge", "logs vault-1");
    assert.equal((await stack.nodes.at(1).get("sys/seal-status")).initialized, false);
  });

  it("is asked again until the leader is reached, and joins", async () => {
    callsInVain = joining.count(call) + 2;
    const ran = await stack.join("vault-1");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(joining.count(call), callsInVain + 1);
    for (const step of ["unseal", "voter"] as const) {
      const { code, stderr } = await stack[step]("vault-1");
      assert.equal(code, 0, stderr);
    }
  });
});
