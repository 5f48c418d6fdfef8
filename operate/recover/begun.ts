/** Notes that a recovery was begun, so that one that was cut off goes on with the same nodes and keeps its copies. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../../steps/lib/whole-file.ts";

const Noted = z.object({ version: z.literal(1), begunAt: z.iso.datetime(), survivors: z.array(z.string()) });

/** A recovery that was begun. */
export interface Begun {
  begunAt: string;
  survivors: string[];
  /** Where it is noted. */
  file: string;
}

const pathOf = (stackDir: string) => join(stackDir, "recovery.json");

/** The recovery that was begun and has not ended; undefined where there is none. */
export async function readBegun(stackDir: string): Promise<Begun | undefined> {
  const file = pathOf(stackDir);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { begunAt, survivors } = Noted.parse(JSON.parse(text));
  return { begunAt, survivors, file };
}

/** Writes it down. */
export async function writeBegun(stackDir: string, survivors: string[]): Promise<Begun> {
  const begunAt = new Date().toISOString();
  const file = pathOf(stackDir);
  await writeWhole(file, `${JSON.stringify({ version: 1, begunAt, survivors }, null, 2)}\n`);
  return { begunAt, survivors, file };
}

/** It has ended. */
export async function forgetBegun(stackDir: string): Promise<void> {
  await rm(pathOf(stackDir), { force: true });
}
