import { backupName } from "../../../steps/lib/backup-login.ts";
import { overdue } from "../../backup/view.ts";
import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether the schedule of snapshots is kept. */
export const backup: Check = {
  looks: "scheduled snapshots: the age of the last good one, and why the last one failed",
  *find({ subject, backup }) {
    if (backup?.failed !== undefined) yield { notLooked: `scheduled snapshots: ${backup.failed}` };
    const view = backup?.value;
    if (!view) return;
    const { kubectl } = commandsOf(subject);
    const late = overdue(view, new Date());
    if (!late && !view.failed) return;
    yield {
      id: late ? "backup-overdue" : "backup-failed",
      nodes: [],
      wrong: late
        ? `no scheduled snapshot was good for two periods of ${view.schedule}`
        : "the last scheduled snapshot failed",
      since: view.lastGoodAt ?? view.since,
      evidence: [
        { asked: `CronJob ${backupName}: the last good one`, answered: view.lastGoodAt ?? "none yet" },
        ...(view.failed
          ? [{ asked: `Job ${view.failed.job}: why it failed`, answered: view.failed.why }]
          : []),
        ...(view.suspended ? [{ asked: `CronJob ${backupName}: suspended`, answered: "yes" }] : []),
      ],
      means:
        "Vault serves, and what is kept in the cluster is still there. What was written since is in no scheduled snapshot.",
      next: [
        ...(view.failed
          ? [kubectl(`logs job/${view.failed.job}`)]
          : [kubectl(`describe cronjob ${backupName}`)]),
        kubectl(`create job ${backupName}-again --from cronjob/${backupName}`),
      ],
    };
  },
};
