import { openRoad } from "./reach.ts";
import type { Way } from "./target.ts";
import { Vault } from "./vault.ts";

/** How long to wait for an answer, in milliseconds: it is asked in every preview. */
const limitMs = 2_000;

/** The id that the first unsealed node tells; undefined where none does in time. Needs no token. */
export async function clusterIdOf(way: Way, pods: readonly string[]): Promise<string | undefined> {
  const signal = AbortSignal.timeout(limitMs);
  try {
    const road = await openRoad(way);
    for (const pod of pods) {
      const vault = new Vault(road, pod, { signal });
      const { cluster_id: id } = await vault.sealStatus().finally(() => vault.close());
      if (id !== undefined) return id;
    }
  } catch {
    // Who cannot be asked here is asked by the steps, which say why.
  }
  return undefined;
}
