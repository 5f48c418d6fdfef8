import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../setup/folders.ts";
import { keysPath } from "../../steps/lib/keys-file.ts";
import { savedElsewhere, snapshotFiles, snapshotFolder } from "../../steps/lib/snapshot-record.ts";

/** What stays of a stack's backups, as lines of its receipt, and the commands that remove it. */
export interface KeptSnapshots {
  kept: string[];
  remove: string[];
}

/** Looks at the stack's folder after its end. Snapshots outlive their Vault, and the keys that open them stay with them. */
export async function keptSnapshots(stackDir: string): Promise<KeptSnapshots> {
  const folder = join(checkout, stackDir);
  const [{ length }, elsewhere] = [await snapshotFiles(folder), await savedElsewhere(folder)];
  if (length + elsewhere.length === 0) return { kept: [], remove: [] };
  const keys = readdirSync(folder)
    .filter((name) => /^vault-init\..+\.json$/.test(name))
    .map((name) => join(stackDir, name));
  // Where the volumes stay, Vault's own journal does, and has its own line to be removed by.
  const now = existsSync(join(checkout, keysPath(stackDir))) ? [keysPath(stackDir)] : [];
  const snapshots = [
    ...(length > 0 ? [`${length} snapshot${length === 1 ? "" : "s"} in ${snapshotFolder(stackDir)}`] : []),
    ...(elsewhere.length > 0 ? [`what was saved to ${elsewhere.join(", ")}`] : []),
  ];
  return {
    kept: [
      `${snapshots.join(", ")}, and the keys that open them: ${[...now, ...keys].join(", ") || "none on this machine"}`,
    ],
    remove: [`rm -r ${[snapshotFolder(stackDir), ...keys].join(" ")}`],
  };
}
