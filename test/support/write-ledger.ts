import assert from "node:assert/strict";
import { type Loss, longestGap } from "../../operate/rehearsal/ledger.ts";
import { makeMount, newPath } from "../../operate/rehearsal/mount.ts";
import { readBack } from "../../operate/rehearsal/read-back.ts";
import { Writer } from "../../operate/rehearsal/writer.ts";
import { poll } from "../../setup/processes.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { within } from "../../steps/lib/wait.ts";
import { asEachSpeaks } from "./as-each-speaks.ts";

/** Where a ledger is kept. */
export interface LedgerPlace {
  kubeconfig: string;
  pods: readonly string[];
  token: string;
}

/** What a ledger shows. */
export interface Kept {
  /** Writes that were acknowledged while the work was done. */
  acknowledged: number;
  /** Acknowledged writes that are not there through some node. */
  lost: Loss[];
  /** The longest time without an acknowledged write, in milliseconds. */
  gapMs: number;
}

/** Writes while something is done to the cluster, 20 times a second, and reads everything back through every node. */
export async function underWrites(
  { kubeconfig, pods, token }: LedgerPlace,
  work: () => Promise<unknown>,
): Promise<Kept> {
  const limit = 600_000;
  const signal = AbortSignal.timeout(limit);
  const road = await asEachSpeaks({ kind: "kubernetes", kubeconfig, namespace: "vault" });
  const mount = newPath();
  const vault = new Vault(road, pods[0] ?? "", { signal }, token);
  await makeMount(vault, mount);
  const writer = new Writer({ road, nodes: pods, token, mount, prefix: "w", signal });
  const more = (than: number) =>
    poll(async () => writer.acknowledged.length > than || undefined, { forMs: 60_000, everyMs: 50 });
  try {
    assert.ok(await more(20), "nothing was written before");
    const before = writer.acknowledged.length;
    const began = performance.now();
    await work();
    const during = writer.acknowledged.length - before;
    assert.ok(await more(before + during + 20), "nothing is written afterwards");
    await writer.stop();
    const step = within({ say: () => {}, signal }, limit / 1000);
    const lost = await Promise.all(
      pods.map((node) => readBack(writer.acknowledged, { road, node, token, mount }, step)),
    );
    const gap = longestGap(writer.writes, began) ?? assert.fail("no gap is known");
    return { acknowledged: during, lost: lost.flat(), gapMs: Math.round(gap.ms) };
  } finally {
    await writer.stop().catch(() => {});
    await vault.disableMount(mount);
    vault.close();
  }
}
