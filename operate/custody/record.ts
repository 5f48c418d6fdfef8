/** What is noted of the holders beside the journal: who has proved when that the key is still there. Without any secret. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Holder } from "../../steps/lib/holder.ts";
import type { PgpAnswer } from "../../steps/lib/keys-file.ts";
import { writeWhole } from "../../steps/lib/whole-file.ts";

/** How long a proof counts, in days: a quarter of a year, as the drills of most policies. */
export const provedDays = 90;

const Record = z.object({
  version: z.literal(1),
  /** By fingerprint: what the answer to an open challenge has to be, as SHA-256. */
  open: z.record(z.string(), z.object({ sha256: z.string(), begunAt: z.iso.datetime() })),
  /** By fingerprint: when its holder last answered one. */
  proved: z.record(z.string(), z.iso.datetime()),
});
export type CustodyRecord = z.output<typeof Record>;

/** The folder with the record and the holders' files, in the stack's folder. */
export const custodyFolder = (stackDir: string) => join(stackDir, "custody");
const recordPath = (stackDir: string) => join(custodyFolder(stackDir), "drill.json");

/** An empty one where there is none, or none that can be read: it says only who is to be asked again. */
export async function readRecord(stackDir: string): Promise<CustodyRecord> {
  const text = await readFile(recordPath(stackDir), "utf8").catch(() => "");
  try {
    return Record.parse(JSON.parse(text));
  } catch {
    return { version: 1, open: {}, proved: {} };
  }
}

export async function writeRecord(stackDir: string, record: CustodyRecord): Promise<void> {
  await writeWhole(recordPath(stackDir), `${JSON.stringify(record, null, 2)}\n`);
}

/** How the holders stand, for status. */
export interface Custody {
  holders: { name: string; fingerprint: string; share: boolean; rootToken: boolean; provedAt?: string }[];
  /** Of the holders of shares: how many have proved within `provedDays`. */
  proved: number;
  shares: number;
}

export function custodyOf(pgp: PgpAnswer, { proved }: CustodyRecord, now = new Date()): Custody {
  const root = pgp.rootToken.holder.fingerprint;
  const since = new Date(now.getTime() - provedDays * 86_400_000).toISOString();
  const holders = everyHolder(pgp).map((holder) => {
    const provedAt = proved[holder.fingerprint];
    return {
      name: holder.name,
      fingerprint: holder.fingerprint,
      share: pgp.shares.some((each) => each.holder.fingerprint === holder.fingerprint),
      rootToken: holder.fingerprint === root,
      ...(provedAt && { provedAt }),
    };
  });
  const recent = holders.filter(
    ({ share, provedAt }) => share && provedAt !== undefined && provedAt >= since,
  );
  return { holders, proved: recent.length, shares: pgp.shares.length };
}

/** Everybody once: who has the root token may have a share, too. */
export function everyHolder({ shares, rootToken }: PgpAnswer): Holder[] {
  const all = [...shares, rootToken].map(({ holder }) => holder);
  return [...new Map(all.map((holder) => [holder.fingerprint, holder])).values()];
}
