import { backupName } from "../../steps/lib/backup-login.ts";
import { overdue } from "../backup/view.ts";
import { commandsOf, type Named } from "../views/commands.ts";
import type { Views } from "../views/views.ts";
import type { Disagreement } from "./disagreement.ts";

/** Where the schedule says that snapshots are saved, and none is. */
export function backupDisagreements(
  subject: Named,
  { backup }: Pick<Views, "backup">,
  now: Date,
): Disagreement[] {
  const { doctor, up, kubectl } = commandsOf(subject);
  if (backup === undefined) return [];
  if (backup.failed !== undefined)
    return [
      {
        id: "backup-unanswered",
        says: `the scheduled snapshots were not asked with success: ${backup.failed}`,
        next: doctor,
      },
    ];
  const view = backup.value;
  if (!view) {
    const says = `Pulumi declared scheduled snapshots, and the cluster has no CronJob ${backupName}`;
    return [
      {
        id: "backup-gone",
        says,
        next: `${up.replace("npm run up", "pulumi refresh").replace(" -- ", " ")} && ${up}`,
      },
    ];
  }
  if (view.suspended) {
    const next = kubectl(`patch cronjob ${backupName} --patch '{"spec":{"suspend":false}}'`);
    return [{ id: "backup-suspended", says: "scheduled snapshots are suspended", next }];
  }
  const found: Disagreement[] = [];
  if (view.stuck)
    found.push({
      id: "backup-stuck",
      says: `the pod of a scheduled snapshot does not begin: ${view.stuck.why}`,
      next: kubectl(`describe job ${view.stuck.job}`),
    });
  if (overdue(view, now)) {
    const last =
      view.lastGoodAt === undefined ? "none was good yet" : `the last good one is of ${view.lastGoodAt}`;
    found.push({
      id: "backup-overdue",
      says: `scheduled snapshots: ${last}, more than two periods of ${view.schedule} ago`,
      next: doctor,
    });
  } else if (view.failed)
    found.push({
      id: "backup-failed",
      says: `the last scheduled snapshot failed (${view.failed.job})`,
      next: doctor,
    });
  return found;
}
