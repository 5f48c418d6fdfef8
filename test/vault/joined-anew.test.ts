import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { poll } from "../../setup/processes.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

/** As docs/recover-quorum.md has it: vault-0 loses its store, the others go on, and it joins them on a blank one. */
describe("the keys of a stack whose vault-0 has joined anew on another store", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  const journalFile = () => join(stack.stackDir, "vault-init.json");
  const journal = async () => JSON.parse(await readFile(journalFile(), "utf8"));
  let former: string;

  before(async () => {
    stack = await VaultStack.start(3);
    await stack.up();
    former = await readFile(journalFile(), "utf8");
    const [lost, ...others] = stack.pods.map((_, at) => stack.nodes.at(at));
    assert.ok(lost);
    await lost.send("PUT", "sys/step-down", {}, stack.token);
    await lost.stop();
    const leads = await poll(
      async () => {
        for (const node of others)
          if ((await node.get("sys/leader").catch(() => undefined))?.is_self) return node;
        return undefined;
      },
      { forMs: 30_000 },
    );
    assert.ok(leads, "nobody leads");
    await leads.send("POST", "sys/storage/raft/remove-peer", { server_id: "vault-0" }, stack.token);
    await lost.blank();
    await lost.send("POST", "sys/storage/raft/join", { leader_api_addr: leads.address });
  });
  after(async function () {
    await stack?.end(this);
  });

  it("are refused while it is sealed: nobody can tell whose store it is", async () => {
    assertRefused(
      await stack.init(),
      "keys of vault-0-store-1, found vault-0-store-2",
      "Nothing was changed",
    );
  });

  it("are the keys of that store once they have unsealed it", async () => {
    const unsealed = await stack.unseal("vault-0");
    assert.equal(unsealed.code, 0, unsealed.stderr);
    assert.deepEqual(await journal(), { ...JSON.parse(former), pvcUid: "vault-0-store-2" });
    const init = await stack.init();
    assert.equal(init.code, 0, init.stderr);
    assert.deepEqual(init.answer.shares, JSON.parse(former).answer.shares);
  });

  it("are answered with where somebody else has unsealed it: it says that it is the same Vault", async () => {
    await writeFile(journalFile(), former);
    const init = await stack.init();
    assert.equal(init.code, 0, init.stderr);
    assert.deepEqual(await journal(), JSON.parse(former));
  });
});
