/** Snapshots on a schedule. */
import type { Explained } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** Where scheduled snapshots begin, change or end. What was saved stays where it is. */
export function backupChange({ changes, settings }: Plan): Explained[] {
  const own = changes.filter(
    ({ name, type }) =>
      (name === "lifecycle-backup-login" || name.startsWith("vault-backup")) && !type.startsWith("vault-ha:"),
  );
  const volume = own.find(({ name }) => name === "vault-backup-volume");
  // A volume that is made anew begins empty; no other rule knows of it, so it is told as what holds data.
  const told = volume?.op === "replace" || (volume?.op === "delete" && !volume.retained) ? [volume] : [];
  const covered = own.filter((change) => !told.includes(change));
  if (covered.length === 0) return [];
  const bucket = settings.backup?.bucket;
  const leaves = bucket !== undefined && volume?.op === "delete";
  const ends = settings.backup === undefined;
  const begins = covered.some(({ name, op }) => name === "vault-backup-cronjob" && op === "create");
  return [
    {
      verdict: "safe",
      says: ends
        ? "No snapshot is saved by a schedule any more, and its login is taken out of Vault. What was saved stays where it is."
        : `Snapshots are saved on the schedule ${settings.backup?.schedule}${begins ? ", by a login of their own" : ""}${bucket ? `, to the bucket ${bucket.name}` : ""}.${leaves ? " What was saved before stays on the volume vault-backup." : ""}`,
      because: covered.map(({ name, op }) => `${name}: ${op}`),
      covers: covered.map(({ name }) => name),
    },
  ];
}
