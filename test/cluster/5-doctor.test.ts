import assert from "node:assert/strict";
import { ClusterTools } from "../support/cluster-tools.ts";
import { minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { doctorFaults } from "./doctor-faults.ts";
import { prove } from "./faults/fault.ts";

describe("the doctor, on a real cluster, finds", function () {
  this.timeout(8 * minutes);
  this.bail(true);
  // The name that the shared stack takes: titles have to be known before there is one.
  const tools = new ClusterTools(`dev-test-${process.pid}`, pods);
  let shared: Awaited<ReturnType<typeof sharedStack>>;

  before(async () => {
    shared = await sharedStack();
    assert.equal(shared.test.name, tools.stack);
  });

  it("nothing on a stack that is well, and neither does the status", async () => {
    await tools.looks.healthy();
    const { answer, exitCode } = await tools.looks.status();
    assert.deepEqual([answer.verdict, exitCode, answer.disagreements], ["healthy", 0, []]);
    assert.equal(answer.nodes.length, pods.length);
  });

  for (const fault of doctorFaults(tools)) it(fault.title, () => prove(tools, fault));

  it("nothing after the next update, which takes note of the containers that were unsealed here", async () => {
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    const { answer, exitCode } = await tools.looks.status();
    assert.deepEqual([answer.verdict, exitCode, answer.disagreements], ["healthy", 0, []]);
  });
});
