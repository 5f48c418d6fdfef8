import type { Inside } from "./inside.ts";

/** How full the disk under a node's data is. */
export interface Disk {
  folder: string;
  /** Of 100; as `df` rounds it, up. */
  usedPercent: number;
  availableKiB: number;
}

/** Asks df in the node. */
export async function diskOf(inside: Inside, node: string, signal: AbortSignal): Promise<Disk> {
  const folder = inside.dataFolder(node);
  const { exitCode, stdout, stderr } = await inside.run(node, ["df", "-P", "-k", folder], signal);
  if (exitCode !== 0) throw new Error(`df ended with ${exitCode}: ${stderr.trim()}`);
  return { folder, ...readDf(stdout) };
}

/** Reads the POSIX output of `df -P -k` for one folder. */
export function readDf(text: string): { usedPercent: number; availableKiB: number } {
  const fields = text.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
  const at = fields.findIndex((field) => /^\d+%$/.test(field));
  const usedPercent = Number.parseInt(fields[at] ?? "", 10);
  const availableKiB = Number(fields[at - 1]);
  if (Number.isNaN(usedPercent) || Number.isNaN(availableKiB))
    throw new Error(`df answered otherwise than POSIX has it: ${text.trim()}`);
  return { usedPercent, availableKiB };
}
