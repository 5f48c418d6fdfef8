/** How far a migration has come, so that a run that was cut off goes on. No share and no token is in it. */
import { existsSync, readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StepError } from "../../steps/lib/errors.ts";
import { StandaloneSet } from "./found.ts";

const Record = z.object({
  version: z.literal(1),
  way: z.enum(["keep data", "begin anew"]),
  namespace: z.string(),
  /** The StatefulSet as it was: a pod on the volume is made from it, and it is the way back. */
  set: StandaloneSet,
  /** What the stack's settings become, by key. */
  settings: z.record(z.string(), z.string()),
  reached: z.enum(["begun", "handed over"]),
});
export type Record = z.output<typeof Record>;

export const recordPath = (stackDir: string) => join(stackDir, "standalone.json");

/** undefined where none was begun. */
export function readRecord(stackDir: string): Record | undefined {
  const path = recordPath(stackDir);
  if (!existsSync(path)) return undefined;
  const read = Record.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (read.success) return read.data;
  throw new StepError(`${path} is no record of a migration that this version knows`, `cat ${path}`);
}

/** On the disk when this returns. The folder is there. */
export async function writeRecord(stackDir: string, record: Record): Promise<void> {
  const fresh = `${recordPath(stackDir)}.${process.pid}.tmp`;
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, recordPath(stackDir));
}
