import type { Inside } from "./inside.ts";

/** How full the disk under a folder of a node is. */
export interface Disk {
  folder: string;
  /** Of 100; as `df` rounds it, up. */
  usedPercent: number;
  usedKiB: number;
  availableKiB: number;
}

/** Asks df in the node. */
export async function diskOf(
  inside: Inside,
  node: string,
  folder: string,
  signal: AbortSignal,
): Promise<Disk> {
  const { exitCode, stdout, stderr } = await inside.run(node, ["df", "-P", "-k", folder], signal);
  if (exitCode !== 0) throw new Error(`df ended with ${exitCode}: ${stderr.trim()}`);
  return { folder, ...readDf(stdout) };
}

/** Reads the POSIX output of `df -P -k` for one folder. */
export function readDf(text: string): Omit<Disk, "folder"> {
  const fields = text.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
  const at = fields.findIndex((field) => /^\d+%$/.test(field));
  const usedPercent = Number.parseInt(fields[at] ?? "", 10);
  const [usedKiB, availableKiB] = [Number(fields[at - 2]), Number(fields[at - 1])];
  if ([usedPercent, usedKiB, availableKiB].some(Number.isNaN))
    throw new Error(`df answered otherwise than POSIX has it: ${text.trim()}`);
  return { usedPercent, usedKiB, availableKiB };
}

/** "97 % used (4.1 GiB), 120 MiB left" */
export function diskInWords({ usedPercent, usedKiB, availableKiB }: Disk): string {
  return `${usedPercent} % used (${sizeInWords(usedKiB)}), ${sizeInWords(availableKiB)} left`;
}

function sizeInWords(kib: number): string {
  if (kib < 1024) return `${kib} KiB`;
  if (kib < 1024 ** 2) return `${Math.round(kib / 1024)} MiB`;
  return `${(kib / 1024 ** 2).toFixed(1)} GiB`;
}
