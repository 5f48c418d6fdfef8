import assert from "node:assert/strict";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { eventually, minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";

describe("npm run recover quorum, on a real cluster", function () {
  this.timeout(6 * minutes);
  this.bail(true);
  const lost = ["vault-0", "vault-1"];

  after(async () => {
    const { stackDir } = (await sharedStack()).test;
    for (const folder of ["recovery", "snapshots"])
      rmSync(join(stackDir, folder), { recursive: true, force: true });
  });

  it("is refused while a node leads", async () => {
    const refused = await (await sharedStack()).command("recover", "quorum", "--dry-run");
    assert.equal(refused.exitCode, 1, refused.all);
    assert.match(refused.all, /leads: there is a quorum, and nothing to recover/);
  });

  it("has the node that is left lead, and the lost ones join blank as it says", async () => {
    const shared = await sharedStack();
    const { tools, test } = shared;
    // Beside these there may be others, as that of the scheduled snapshots.
    const data = pods.map((pod) => `data-${pod}`);
    const claims = () =>
      tools.kubectl("get", "pvc", ...data, "--output", "jsonpath={.items[*].metadata.uid}");
    const before = await claims();
    await tools.kubectl("delete", "pvc", ...lost.map((pod) => `data-${pod}`), "--wait=false");
    await tools.deletePods(...lost);
    await eventually(async () => {
      const running = Object.values(await shared.containers(60)).every(
        (container) => container !== "not running",
      );
      const now = await claims();
      return running && now.split(" ").filter((uid) => before.includes(uid)).length === 1;
    }, "the lost pods on blank volumes");

    const dry = await shared.command("recover", "quorum", "--dry-run");
    assert.equal(dry.exitCode, 0, dry.all);
    assert.match(
      dry.all,
      /3 voters, 2 are a majority, 1 has its store:[\s\S]*vault-0 \(.*\): lost, it runs on a blank store/,
    );
    const ran = await shared.command("recover", "quorum", "--confirm", test.name, "--json");
    assert.equal(ran.exitCode, 0, ran.all);
    const { leader, voters, copies, next } = JSON.parse(ran.stdout);
    assert.deepEqual([leader, voters], ["vault-2", ["vault-2"]]);
    assert.equal(statSync(copies[0]).mode & 0o777, 0o600);

    const join0 =
      (next as string[]).find((line) => line.includes("raft join")) ?? assert.fail(next.join("\n"));
    const [, script = ""] = /sh -c '(.*)'$/.exec(join0) ?? [];
    await tools.kubectl("exec", "vault-0", "--", "sh", "-c", script);
    const [, uids = ""] = /vault\.giveUp (\S+)/.exec(next.join("\n")) ?? [];
    await test.stack.setConfig("vault.giveUp", { value: uids });
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    await test.stack.removeConfig("vault.giveUp");
    await test.stack.up();
    assert.deepEqual(await proposals(test.stack), []);
    const doctor = await shared.command("doctor");
    assert.equal(doctor.exitCode, 0, doctor.all);
  });
});
