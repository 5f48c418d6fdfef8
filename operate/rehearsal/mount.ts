/** The mount that a rehearsal writes into: made for it, taken away at its end, and found by the next one where it was left. */
import { randomBytes } from "node:crypto";
import type { Vault } from "../../steps/lib/vault.ts";

/** Marks a mount as ours, whatever else is called rehearsal-something. */
const description = "Made by npm run rehearse";

/** A path for a mount, without a slash at its end. */
export function newPath(): string {
  return `rehearsal-${randomBytes(4).toString("hex")}`;
}

/** Makes a kv mount of version 1 at the path. */
export async function makeMount(leader: Vault, path: string): Promise<void> {
  await leader.enableKv(path, description);
}

/** Removes the mounts of rehearsals that were killed, and gives their paths. No rehearsal may run beside this one. */
export async function removeLeftMounts(leader: Vault): Promise<string[]> {
  const engines = Object.entries(await leader.engines());
  const left = engines
    .filter(([path, engine]) => path.startsWith("rehearsal-") && engine.description === description)
    .map(([path]) => path.replace(/\/$/, ""));
  for (const path of left) await leader.disableMount(path);
  return left;
}
