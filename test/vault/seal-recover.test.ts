import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";
import { findLeft, problemsOf } from "../../operate/recover/found.ts";
import { recoverQuorum } from "../../operate/recover/recover.ts";
import { gatherViews } from "../../operate/views/views.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { TransitVault } from "../support/transit-vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

const pods = ["vault-0", "vault-1", "vault-2"];
const survivor = "vault-2";

describe("npm run recover quorum of a Vault with a seal, on real Vault processes", function () {
  this.timeout(120_000);
  let transit: TransitVault;
  let stack: VaultStack;
  before(async () => {
    transit = await TransitVault.start();
    stack = await VaultStack.start(3, { seal: transit.seal() });
    await stack.up();
  });
  after(async function () {
    await stack?.end(this);
    await transit?.end();
  });
  const process = (pod: string) => stack.nodes.at(pods.indexOf(pod));

  it("has the one that is left lead, with what it had, though it unseals itself whenever it is started", async () => {
    await process("vault-0").send("POST", "sys/mounts/team", { type: "kv" }, stack.token);
    await process("vault-0").send("POST", "team/before", { value: "kept" }, stack.token);
    const index = async (pod: string) => (await process(pod).get("sys/leader")).raft_applied_index;
    while (new Set(await Promise.all(pods.map(index))).size > 1);
    for (const pod of pods) if (pod !== survivor) await process(pod).blank();
    const peers = stack.nodes.nodes.map(({ name: node, clusterAddress: address }) => ({ node, address }));
    const subject = subjectOf(stack, { resources: stateOf(pods, {}, {}, peers) });
    const found = findLeft(subject, await gatherViews(subject));
    assert.deepEqual(problemsOf(found, [], undefined, { unseal: "up", restore: "restore" }), []);
    const said: string[] = [];
    const recovered = await recoverQuorum(found, undefined, {
      ...{ stack: "dev", stackDir: stack.stackDir, reach: Target.parse(stack.target()).reach },
      keys: { ...stack.keys, threshold: 3, seal: "transit" },
      ...{ timeoutSeconds: 60, signal: AbortSignal.timeout(100_000) },
      say: (line) => void said.push(line),
      roadTo: () => openRoad(Target.parse(stack.target())),
      stores: {
        restart: (pod) => process(pod).restart(),
        copy: (pod, file) => create({ file, cwd: join(process(pod).folder, "data") }, ["."]),
        putPeers: (pod, text) => writeFile(join(process(pod).folder, "data", "raft", "peers.json"), text),
      },
    });
    assert.equal(recovered.leader, survivor);
    assert.deepEqual([recovered.voters, recovered.lost], [[survivor], ["vault-0", "vault-1"]]);
    assert.ok(existsSync(recovered.copies[0] ?? ""));
    assert.deepEqual((await process(survivor).get("team/before", stack.token)).data, { value: "kept" });
    assert.ok(
      said.indexOf(`${survivor} is started anew`) > said.findIndex((line) => /has peers\.json/.test(line)),
    );
  });
});
