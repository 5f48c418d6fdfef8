import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Unreachable } from "../../steps/lib/errors.ts";
import type { Step } from "../../steps/lib/io.ts";
import { joinCluster } from "../../steps/lib/join.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { unsealNode } from "../../steps/lib/unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

/**
 * The node has the leader's answer and has made its Raft store, and nothing of the cluster's data is in it: the
 * leader is stopped from running just then, so that the data cannot come before the node ends.
 */
describe("a node that was ended in the middle of its join", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let leader: RecordingProxy;

  before(async () => {
    stack = await VaultStack.start(2);
    await stack.raise(1);
    leader = await RecordingProxy.before(stack.nodes.at(0).address, (asked) => {
      if (asked === "PUT /v1/sys/storage/raft/bootstrap/answer") stack.nodes.at(0).freeze();
      return true;
    });
    stack.instead["vault-0"] = leader.address;
    assert.equal((await stack.join("vault-1")).code, 0);
    const cut = stack.unseal("vault-1", { timeoutSeconds: 5 });
    const log = join(stack.nodes.at(1).folder, "vault.log");
    while (!(await readFile(log, "utf8")).includes("initial configuration")) await sleep(20);
    await stack.nodes.at(1).stop("SIGKILL");
    stack.nodes.at(0).thaw();
    await cut;
    delete stack.instead["vault-0"];
    await stack.nodes.at(1).start();
  });
  after(async function () {
    await leader?.end();
    await stack?.end(this);
  });

  it("can neither go on nor join again in its store, and the step says the way out", async () => {
    assertRefused(
      await stack.unseal("vault-1", { timeoutSeconds: 20 }),
      "joins once more",
      "cluster already has state. vault-1 was ended in the middle of its join",
      "Next: kubectl delete pvc/data-vault-1 pod/vault-1",
    );
  });

  it("has its store emptied, where that can be done, and joins", async () => {
    const said: string[] = [];
    const target = Target.parse(stack.target());
    const step = stepThatSays(said);
    const road = await openRoad(target);
    const vault = new Vault(road, "vault-1", step);
    const member = new Vault(road, "vault-0", step, stack.token);
    const status = await unsealNode(
      vault,
      {
        ...target,
        shares: stack.keys.shares,
        threshold: 3,
        join: () => joinCluster(vault, member, road, target, step),
        emptyStore: async () => {
          const node = stack.nodes.at(1);
          await node.stop("SIGKILL");
          for (const name of ["raft", "vault.db"])
            await rm(join(node.folder, "data", name), { recursive: true, force: true });
          await node.start();
        },
      },
      step,
    );
    assert.equal(status.sealed, false);
    assert.match(said.join("\n"), /its store is emptied, and it joins anew\n[\s\S]*joins through/);
    assert.equal((await stack.voter("vault-1")).code, 0);
    await stack.up();
  });

  it("is sent its shares once more, where another process answers than the one that was sent them", async () => {
    const node = stack.nodes.at(1);
    await node.restart();
    const said: string[] = [];
    const step = stepThatSays(said);
    const target = Target.parse(stack.target());
    const vault = new Vault(await openRoad(target), "vault-1", step);
    let starts = 0;
    const unseal = vault.unseal.bind(vault);
    // The answer to the last share is lost with the process that gave it.
    vault.unseal = async (share) => {
      const answer = await unseal(share);
      if (answer.sealed || starts > 0) return answer;
      await node.restart();
      starts++;
      throw new Unreachable("cut off");
    };
    const { shares } = stack.keys;
    const processOf = async () => `process ${starts}`;
    const status = await unsealNode(vault, { ...target, shares, threshold: 3, processOf }, step);
    assert.equal(status.sealed, false);
    assert.equal(starts, 1);
    assert.match(said.join("\n"), /was started again meanwhile: its shares are sent once more/);
  });
});

/** What a step works with, in this process. */
function stepThatSays(said: string[]): Step {
  return {
    say: (line) => void said.push(line),
    signal: new AbortController().signal,
    deadline: Date.now() + 60_000,
    timeoutSeconds: 60,
    hide: () => {},
    unbroken: (work) => work(),
  };
}
