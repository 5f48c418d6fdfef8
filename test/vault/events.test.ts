import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { poll } from "../../setup/processes.ts";
import { anyRound, type Event, EventfulVault, nodeCount, words } from "../support/vault-events.ts";

/** How long new sequences begin; the last one may end later. VAULT_HA_EVENTS_SECONDS makes a soak of it. */
const seconds = Number(process.env.VAULT_HA_EVENTS_SECONDS ?? 60);
/** The round of this seed alone, as a failure names it. */
const replayed = process.env.VAULT_HA_EVENTS_SEED;

describe("a Vault to which things happen in any order", function () {
  this.timeout((seconds + 300) * 1000);

  it("ends whole after the next up: one init, its shares, every acknowledged write, every voter", async () => {
    const end = replayed === undefined ? Date.now() + seconds * 1000 : Number.POSITIVE_INFINITY;
    const sum = { rounds: 0, sequences: 0, events: 0, writes: 0, steps: 0 };
    do {
      const seed = replayed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(replayed);
      const [round = []] = fc.sample(anyRound, { seed, numRuns: 1 });
      const vault = await EventfulVault.start();
      const happened: Event[][] = [];
      let whole = false;
      try {
        await play(vault, round, happened, end);
        whole = true;
      } catch (error) {
        const lines = happened.map((sequence) => sequence.map((event) => `  ${words(event)}`).join("\n"));
        throw new Error(
          `${(error as Error).message}\nWhat had happened:\n${lines.join("\n  -- up once more --\n")}\nTo see it again: VAULT_HA_EVENTS_SEED=${seed} npm test -- vault`,
          { cause: error },
        );
      } finally {
        await vault.end(!whole);
      }
      sum.rounds++;
      sum.sequences += happened.length;
      sum.events += happened.flat().length;
      sum.writes += vault.ledger.size;
      sum.steps += vault.stack.ran.length;
    } while (replayed === undefined && Date.now() < end);
    console.log(`      ${JSON.stringify(sum)}`);
  });
});

/** Lets a round happen until `end`, and holds the Vault against what may never change after each of its sequences. */
async function play(vault: EventfulVault, round: Event[][], happened: Event[][], end: number): Promise<void> {
  let first: unknown;
  // The shares have to open every node: after the last sequence all of them begin sealed.
  const restarts = Array.from({ length: nodeCount }, (_, node): Event => ({ what: "restart", node }));
  for (const sequence of [...round, restarts]) {
    if (sequence !== restarts && happened.length > 0 && Date.now() > end) continue;
    const begun: Event[] = [];
    happened.push(begun);
    for (const event of sequence) {
      begun.push(event);
      await vault.happen(event);
    }
    const ran = await vault.settle();
    assert.equal(ran.code, 0, ran.stderr);
    await vault.write();
    first ??= await journal(vault);
    assert.deepEqual(await journal(vault), first, "the journal's answer has changed");
    await check(vault, vault.inits());
  }
}

async function journal({ stack }: EventfulVault): Promise<unknown> {
  return JSON.parse(await readFile(join(stack.stackDir, "vault-init.json"), "utf8")).answer;
}

async function check({ stack, ledger }: EventfulVault, inits: number): Promise<void> {
  assert.equal(inits, 1, "so often has Vault answered init");
  assert.ok(ledger.size > 0, "nothing was written");

  const { token, pods } = stack;
  const ids = new Set<unknown>();
  const leaders: string[] = [];
  for (const node of stack.nodes.nodes) {
    const { sealed, cluster_id, removed_from_cluster } = await node.get("sys/seal-status");
    assert.equal(sealed, false, `${node.name} is sealed`);
    assert.notEqual(removed_from_cluster, true, `${node.name} was removed`);
    ids.add(cluster_id);
    if ((await node.get("sys/leader")).is_self === true) leaders.push(node.name);
    for (const [name, value] of ledger) {
      const read = async () => (await node.get(`cubbyhole/${name}`, token)).data as { value: string };
      // A follower may be a moment behind.
      const found = await poll(() => read().catch(() => undefined), { forMs: 10_000 });
      assert.equal(found?.value, value, `${node.name} has lost the write ${name}`);
    }
  }
  assert.equal(ids.size, 1, `cluster ids: ${[...ids]}`);
  assert.equal(leaders.length, 1, `leaders: ${leaders}`);
  const { data } = await stack.nodes.at(0).get("sys/storage/raft/configuration", token);
  const { servers } = (data as { config: { servers: { node_id: string; voter: boolean }[] } }).config;
  assert.deepEqual(
    servers.map(({ node_id, voter }) => `${node_id} ${voter}`).sort(),
    pods.map((pod) => `${pod} true`),
  );
}
