/** What Kubernetes knows of a stack's scheduled snapshots: of the last good one, of what is kept, and of one that failed. */
import { Cron } from "croner";
import { z } from "zod";
import { type BucketPlace, bucketOf } from "../../steps/lib/backup-bucket.ts";
import { backupName } from "../../steps/lib/backup-login.ts";
import type { Kube } from "../../steps/lib/kube.ts";
import { SnapshotRecord } from "../../steps/lib/snapshot-record.ts";

/** A snapshot in the cluster. */
export interface Backup {
  file: string;
  size: number;
  /** In a bucket: the id of the Vault that it is of. */
  clusterId?: string;
}

/** What the job of a good one has told. */
export interface Good {
  file: string;
  record: SnapshotRecord;
  /** All that were kept when it had ended, the newest first. */
  kept: Backup[];
  /** In a bucket: why older ones than are to be kept were not removed. */
  left?: string;
}

export interface BackupView {
  /** A cron expression, in UTC. */
  schedule: string;
  suspended: boolean;
  /** The bucket that they go to; undefined: a volume. */
  bucket?: BucketPlace;
  /** Since when there is a schedule. */
  since: string;
  /** When the last good one had ended, as the CronJob notes it; its job may be gone since. */
  lastGoodAt?: string;
  /** What is known of it. */
  good?: Good;
  /** The last one that failed, where that came after the last good one; whether on its way to the bucket. */
  failed?: { at: string; job: string; why: string; atBucket?: boolean };
  /** A pod that does not begin, such as for an image that is not had. Its job fails after an hour, without the reason. */
  stuck?: { job: string; why: string };
}

/** What of a job's pod says where its snapshots go. */
const JobPod = z.object({
  containers: z.tuple([
    z.object({
      env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
    }),
  ]),
});

const CronJob = z.object({
  metadata: z.object({ creationTimestamp: z.string() }),
  spec: z.object({
    schedule: z.string(),
    suspend: z.boolean().nullish(),
    jobTemplate: z.object({ spec: z.object({ template: z.object({ spec: JobPod }) }) }),
  }),
  status: z.object({ lastSuccessfulTime: z.string().nullish() }).optional(),
});

const Ended = z.object({
  message: z.string().nullish(),
  finishedAt: z.string().nullish(),
  exitCode: z.number(),
});
const Waits = z.object({ reason: z.string().optional(), message: z.string().optional() });
const Statuses = z
  .array(
    z.object({ state: z.object({ terminated: Ended.optional(), waiting: Waits.optional() }).optional() }),
  )
  .nullish();
const BackupPod = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }),
  status: z.object({ containerStatuses: Statuses, initContainerStatuses: Statuses }),
});

const Job = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({
    conditions: z
      .array(
        z.object({
          type: z.string(),
          status: z.string(),
          reason: z.string().optional(),
          message: z.string().optional(),
          lastTransitionTime: z.string().nullish(),
        }),
      )
      .nullish(),
  }),
});

const Record = z.object({
  file: z.string(),
  record: SnapshotRecord,
  kept: z.array(z.tuple([z.string(), z.number()])),
  left: z.string().optional(),
});

/** What a job has written at its end; undefined where it is nothing of the kind. */
export function goodRecord(message: string): Good | undefined {
  try {
    const { kept, left, ...rest } = Record.parse(JSON.parse(message));
    return { ...rest, kept: kept.map(([file, size]) => ({ file, size })), ...(left && { left }) };
  } catch {
    return undefined;
  }
}

/** Asks Kubernetes; undefined where there is no such CronJob. */
export async function backupView(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<BackupView | undefined> {
  const labelled = `labelSelector=${encodeURIComponent(`app.kubernetes.io/name=${backupName}`)}`;
  const list = async <S extends z.ZodType>(path: string, item: S) =>
    (await kube.get(`${path}?${labelled}`, z.object({ items: z.array(item) }), signal))?.items ?? [];
  const batch = `/apis/batch/v1/namespaces/${namespace}`;
  const [cronJob, jobs, pods] = await Promise.all([
    kube.get(`${batch}/cronjobs/${backupName}`, CronJob, signal),
    list(`${batch}/jobs`, Job),
    list(`/api/v1/namespaces/${namespace}/pods`, BackupPod),
  ]);
  if (cronJob === undefined) return undefined;
  const bucket = bucketOf(cronJob.spec.jobTemplate.spec.template.spec.containers[0].env);
  const ended = pods.flatMap(({ metadata, status }) => {
    const last = status.containerStatuses?.[0]?.state?.terminated;
    // Where a snapshot was not even saved, its pod has not come to the container that brings it to a bucket.
    const first = status.initContainerStatuses?.[0]?.state?.terminated;
    const terminated = last ?? (first?.exitCode ? first : undefined);
    return terminated
      ? [{ ...terminated, job: metadata.labels?.["job-name"], isLast: terminated === last }]
      : [];
  });
  const [stuck] = pods.flatMap(({ metadata, status }) =>
    [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].flatMap(({ state }) => {
      const { reason = "", message } = state?.waiting ?? {};
      if (!/^(Err|Image|Invalid|Create)/.test(reason)) return [];
      return [{ job: metadata.labels?.["job-name"] ?? "", why: message ? `${reason}: ${message}` : reason }];
    }),
  );
  const [good] = ended
    .flatMap(({ message, exitCode }) => (exitCode === 0 ? (goodRecord(message ?? "") ?? []) : []))
    .sort((one, other) => other.record.savedAt.localeCompare(one.record.savedAt));
  // A job made by hand counts as well, and the CronJob does not note it.
  const lastGoodAt = [cronJob.status?.lastSuccessfulTime, good?.record.savedAt]
    .flatMap((at) => at ?? [])
    .sort()
    .at(-1);
  const [failed] = jobs
    .flatMap(({ metadata: { name }, status }) => {
      const failure = status.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
      if (failure === undefined) return [];
      const pod = ended.filter(({ job, exitCode }) => job === name && exitCode !== 0).at(-1);
      const why = [failure.message ?? failure.reason ?? "no reason given", pod?.message?.trim()].flatMap(
        (text) => text || [],
      );
      const atBucket = bucket !== undefined && pod?.isLast === true;
      return [
        {
          at: failure.lastTransitionTime ?? "",
          job: name,
          why: why.join("\n"),
          ...(atBucket && { atBucket }),
        },
      ];
    })
    .sort((one, other) => other.at.localeCompare(one.at));
  return {
    schedule: cronJob.spec.schedule,
    ...(bucket && { bucket }),
    suspended: cronJob.spec.suspend ?? false,
    since: cronJob.metadata.creationTimestamp,
    ...(lastGoodAt && { lastGoodAt }),
    ...(good && { good }),
    ...(failed && failed.at > (lastGoodAt ?? "") && { failed }),
    ...(stuck && { stuck }),
  };
}

/** When the next one is due. */
export function nextBackup({ schedule }: Pick<BackupView, "schedule">, now: Date): Date | null {
  return cron(schedule).nextRun(now);
}

/** Whether the last good one is older than two periods; where there is none yet, whether the schedule is. */
export function overdue(view: BackupView, now: Date): boolean {
  const since = new Date(view.lastGoodAt ?? view.since);
  const [, second] = cron(view.schedule).nextRuns(2, since);
  return second !== undefined && second < now;
}

const cron = (schedule: string) => new Cron(schedule, { mode: "5-part", timezone: "Etc/UTC" });
