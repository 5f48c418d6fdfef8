import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { minutes, sharedStack } from "../support/shared-stack.ts";
import { dockerLeftovers, dockerVolumes } from "../support/test-stack.ts";

describe("the end of a stack", function () {
  this.timeout(5 * minutes);
  this.bail(true);

  it("leaves nothing after destroy: no container, network, volume or file", async () => {
    const { test, keep, volumesBefore } = await sharedStack();
    await test.stack.destroy({ onOutput: keep });
    assert.deepEqual(await dockerLeftovers(`vault-ha-${test.name}`), []);
    assert.deepEqual(
      (await dockerVolumes()).filter((name) => !volumesBefore.includes(name)),
      [],
    );
    assert.equal(existsSync(test.stackDir), false, `${test.stackDir} is still there`);
  });
});
