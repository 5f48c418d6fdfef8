import { backupName } from "../../../steps/lib/backup-login.ts";
import { bucketTrouble } from "../../backup/bucket-trouble.ts";
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
    const { failed, bucket, stuck } = view;
    if (stuck)
      yield {
        id: "backup-stuck",
        nodes: [],
        wrong: "the pod of a scheduled snapshot does not begin",
        evidence: [{ asked: `the pod of Job ${stuck.job}`, answered: stuck.why }],
        means: "Vault serves. Until the pod begins, no snapshot is saved by the schedule.",
        next: [kubectl(`get pods --selector job-name=${stuck.job}`), kubectl(`describe job ${stuck.job}`)],
      };
    const trouble = bucket && failed?.atBucket ? bucketTrouble(failed.why, bucket, kubectl) : undefined;
    const late = overdue(view, new Date());
    if (!late && !view.failed) return;
    yield {
      id: late ? "backup-overdue" : "backup-failed",
      nodes: [],
      wrong: `${
        late
          ? `no scheduled snapshot was good for two periods of ${view.schedule}`
          : "the last scheduled snapshot failed"
      }${trouble ? `: ${trouble.says}` : ""}`,
      since: view.lastGoodAt ?? view.since,
      evidence: [
        { asked: `CronJob ${backupName}: the last good one`, answered: view.lastGoodAt ?? "none yet" },
        ...(view.failed
          ? [{ asked: `Job ${view.failed.job}: why it failed`, answered: view.failed.why }]
          : []),
        ...(view.suspended ? [{ asked: `CronJob ${backupName}: suspended`, answered: "yes" }] : []),
      ],
      means:
        "Vault serves, and what was saved before is still there. What was written since is in no scheduled snapshot.",
      next: [
        ...(trouble?.next ?? []),
        ...(view.failed
          ? [kubectl(`logs job/${view.failed.job}`)]
          : [kubectl(`describe cronjob ${backupName}`)]),
        kubectl(`create job ${backupName}-again --from cronjob/${backupName}`),
      ],
    };
  },
};
