/** The steps that look after a Vault that runs: its audit log, its metrics, its snapshots. */
import { auditFolder } from "../../components/vault-rules.ts";
import type { BackupSettings } from "../../settings/choices.ts";
import { backupLogin } from "../../steps/lib/backup-login.ts";
import type { ExplainedStep } from "./steps.ts";

/** A command of `vault` as one types it, in the first pod. */
type AtFirst = (command: string) => string;

export function explainedAudit(vault: AtFirst): ExplainedStep {
  return {
    title: "an audit log at each node",
    resources: ["lifecycle-audit"],
    byHand: [vault(`audit enable file file_path=${auditFolder}/audit.log`)],
    here: [
      "A device that is there already is left alone. Each node has a volume of its own for it (audit-vault-0, ...).",
    ],
    trap: "Vault answers nothing that it cannot write down: a full volume stops it.",
  };
}

export function explainedMetrics(): ExplainedStep {
  return {
    title: "Prometheus scrapes each node",
    resources: ["vault-monitor"],
    byHand: [],
    here: [
      "Not in the tutorial. Where the cluster knows ServiceMonitors: one for the service vault-internal, so that each node tells its own numbers, sealed or not. Vault's configuration has a telemetry stanza and lets metrics be read without a token.",
    ],
    trap: "With a token a standby sends the scraper on to the leader, whose numbers then stand under the standby's name.",
  };
}

export function explainedSchedule(backup: BackupSettings, vault: AtFirst): ExplainedStep {
  return {
    title: `a snapshot on the schedule ${backup.schedule}`,
    resources: [
      "lifecycle-backup-login",
      ...["account", ...(backup.bucket ? [] : ["volume"]), "cronjob"].map((name) => `vault-backup-${name}`),
    ],
    byHand: [vault("operator raft snapshot save /tmp/vault.snap")],
    here: [
      backup.bucket
        ? `A CronJob in Vault's namespace saves and checks it; a second container, which has no login to Vault, brings it to the bucket ${backup.bucket.name}, reads it back and keeps the last ${backup.keep}.`
        : `A CronJob in Vault's namespace saves it to a volume of its own, checks it, and keeps the last ${backup.keep}.`,
      `It logs in to Vault by its pod's service account (auth method kubernetes, mount ${backupLogin.mount}/), with a policy that may read a snapshot and nothing else.`,
      "npm run status tells the age of the last good one; npm run down takes the login out of a Vault whose data stays.",
    ],
    trap: "A job with the root token in a Secret: whoever may read Secrets there has all of Vault.",
  };
}
