/** Notes that a restore was begun, so that one that was cut off is gone on with. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../../steps/lib/whole-file.ts";

const Begun = z.object({
  version: z.literal(1),
  begunAt: z.iso.datetime(),
  /** SHA-256 of the snapshot. */
  sha256: z.string(),
  /** The snapshot of what ran before: the way back. */
  safety: z.string(),
  /** The id of the Vault that ran before. */
  formerCluster: z.string().optional(),
});
export type Begun = z.output<typeof Begun>;

const pathOf = (stackDir: string) => join(stackDir, "restore.json");

/** The restore that was begun and has not ended; undefined where there is none. */
export async function readBegun(stackDir: string): Promise<Begun | undefined> {
  const text = await readFile(pathOf(stackDir), "utf8").catch(() => undefined);
  return text === undefined ? undefined : Begun.parse(JSON.parse(text));
}

/** Writes it down. */
export async function writeBegun(stackDir: string, begun: Begun): Promise<void> {
  await writeWhole(pathOf(stackDir), `${JSON.stringify(begun, null, 2)}\n`);
}

/** It has ended. */
export async function forgetBegun(stackDir: string): Promise<void> {
  await rm(pathOf(stackDir), { force: true });
}
