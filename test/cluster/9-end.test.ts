import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { Secrets } from "../support/secret-scan.ts";
import { minutes, sharedStack } from "../support/shared-stack.ts";
import { dockerLeftovers, dockerVolumes, volumesOf } from "../support/test-stack.ts";

describe("the end of a stack", function () {
  this.timeout(5 * minutes);
  this.bail(true);

  let secrets: Secrets;

  it("comes without a share or a token in state, history, logs, output, temporary files or any process", async () => {
    const shared = await sharedStack();
    const { test, scan } = shared;
    secrets = shared.keys();
    assert.deepEqual(await scan.find(secrets), []);
    for (const place of [`/stacks/vault-ha/${test.name}.json`, `/history/vault-ha/${test.name}/`])
      assert.ok(
        [...scan.looked].some((file) => file.includes(place)),
        `${place} was not looked at`,
      );
    assert.ok(scan.processes.rounds() > 50, `the process list was read ${scan.processes.rounds()} times`);
    assert.ok(
      scan.processes.seen().some((text) => text.includes("steps/unseal.ts")),
      "no step was seen in the process list",
    );
  });

  it("leaves nothing after destroy: no container, network, volume or file", async () => {
    const { test, keep } = await sharedStack();
    const prefix = `vault-ha-${test.name}-`;
    const volumes = await volumesOf(prefix);
    assert.ok(volumes.length > 0, "its nodes have no volumes");
    await test.stack.destroy({ onOutput: keep });
    assert.deepEqual(await dockerLeftovers(prefix), []);
    const left = await dockerVolumes();
    assert.deepEqual(
      volumes.filter((name) => left.includes(name)),
      [],
    );
    assert.equal(existsSync(test.stackDir), false, `${test.stackDir} is still there`);
  });

  it("leaves no share and no token behind either", async () => {
    const { scan } = await sharedStack();
    assert.deepEqual(await scan.find(secrets), []);
  });
});
