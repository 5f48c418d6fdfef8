import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { minutes, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";

describe("npm run rehearse failover, on a real cluster", function () {
  this.timeout(10 * minutes);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("ends the leader under a ledger of writes, loses none of them, and has the cluster whole again", async () => {
    const shared = await sharedStack();
    const picture = join(folder, "failover.svg");
    const { exitCode, stdout, all } = await shared.command(
      "rehearse",
      "failover",
      "--json",
      "--svg",
      picture,
    );
    assert.equal(exitCode, 0, all);
    const found = JSON.parse(stdout);
    const [round] = found.rounds;
    assert.equal(found.lost, 0);
    assert.ok(round.writes.acknowledged > 20, `${round.writes.acknowledged} writes were acknowledged`);
    assert.notEqual(round.leaderAfter, round.leaderBefore);
    assert.ok(round.gapMs > 0);
    assert.match(readFileSync(picture, "utf8"), /^<svg /);
  });

  it("leaves the next update to note the new container, and then status says healthy", async () => {
    const shared = await sharedStack();
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /unseal vault-\d: already unsealed/);
    assert.deepEqual(await proposals(shared.test.stack), []);
    const status = await shared.command("status", "--json");
    assert.equal(status.exitCode, 0, status.all);
    assert.equal(JSON.parse(status.stdout).verdict, "healthy");
  });
});
