/** The snapshots that a schedule has saved in the cluster: which there are, and how one comes to this machine. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { CommandError } from "../../setup/command.ts";
import type { Environment } from "../../setup/environment.ts";
import { backupName } from "../../steps/lib/backup-login.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { type Kube, openKube } from "../../steps/lib/kube.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { readSnapshot, type SnapshotFacts } from "../../steps/lib/snapshot-file.ts";
import { SnapshotRecord, writeRecord } from "../../steps/lib/snapshot-record.ts";
import { kubectl } from "../../steps/lib/target.ts";
import { until, type Waiting } from "../../steps/lib/wait.ts";
import { renameWhole } from "../../steps/lib/whole-file.ts";
import type { OpenVault } from "../open-vault.ts";
import { type Backup, backupView } from "./view.ts";

type Open = Pick<OpenVault, "target">;

/** What the last good job left in the cluster, the newest first; undefined where the stack has no schedule. */
export async function listBackups({ target }: Open, signal: AbortSignal): Promise<Backup[] | undefined> {
  const { kubeconfig, namespace } = target.reach;
  const view = await backupView(await openKube(kubeconfig), namespace, signal);
  return view && (view.good?.kept ?? []);
}

/** The pod that reads the volume: the job's own, told to wait. */
const fetchPodName = "vault-backup-fetch";

/** Where its volume is mounted in it. */
const backupFolder = "/backups";

const CronJob = z.object({
  spec: z.object({
    jobTemplate: z.object({
      spec: z.object({
        template: z.object({
          spec: z.looseObject({ containers: z.tuple([z.looseObject({ name: z.string() })]) }),
        }),
      }),
    }),
  }),
});

/**
 * Brings one of them and its record to this machine: a file that its owner alone may read (0600), named once it is whole.
 * @param name as `listBackups` gives it
 * @param file where it goes; must not exist
 * @throws CommandError where there is none of the name, or it does not come whole. Nothing is left of it then.
 */
export async function fetchBackup(
  { target }: Open,
  name: string,
  file: string,
  env: Environment,
  step: Waiting,
): Promise<SnapshotFacts> {
  const { kubeconfig, namespace } = target.reach;
  const kube = await openKube(kubeconfig);
  const known = await listBackups({ target }, step.signal);
  const wanted = known?.find((each) => each.file === name);
  if (wanted === undefined)
    throw new CommandError(
      `There is no scheduled snapshot ${name}${known?.length ? `; there are ${known.map((each) => each.file).join(", ")}` : ""}.`,
    );
  const temporary = `${file}.${process.pid}.part`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // It keeps its mode when it is written to.
  await writeFile(temporary, "", { mode: 0o600, flag: "wx" });
  try {
    const cat = async (path: string, options: object) => {
      const exec = ["--kubeconfig", kubeconfig, "--namespace", namespace, "exec", fetchPodName, "--"];
      const { exitCode, stdout, stderr } = await execa(
        "kubectl",
        [...exec, "cat", `${backupFolder}/${path}`],
        {
          env,
          cancelSignal: step.signal,
          reject: false,
          stdin: "ignore",
          ...options,
        },
      );
      step.signal.throwIfAborted();
      if (exitCode !== 0) throw new CommandError(`${path} was not read from the volume: ${stderr.trim()}`);
      return String(stdout ?? "");
    };
    let record: SnapshotRecord | undefined;
    await onBackups(kube, namespace, target, step, async () => {
      await cat(name, { stdout: { file: temporary } });
      record = SnapshotRecord.parse(JSON.parse(await cat(`${name}.json`, {})));
    });
    const facts = await readSnapshot(temporary);
    if (record === undefined || facts.sha256 !== record.sha256)
      throw new CommandError(
        `${name} is not what its record was written for: it was changed, or came in part.`,
      );
    await writeRecord(file, record);
    await renameWhole(temporary, file);
    return facts;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Runs a pod on the volume, which is taken away at the end, also after a failure. */
async function onBackups(
  kube: Kube,
  namespace: string,
  target: OpenVault["target"],
  step: Waiting,
  work: () => Promise<void>,
): Promise<void> {
  const cronJob = await kube.get(
    `/apis/batch/v1/namespaces/${namespace}/cronjobs/${backupName}`,
    CronJob,
    step.signal,
  );
  if (cronJob === undefined) throw new CommandError(`The cluster has no CronJob ${backupName}.`);
  const { spec } = cronJob.spec.jobTemplate.spec.template;
  const [container] = spec.containers;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: fetchPodName, namespace, labels: { "app.kubernetes.io/name": fetchPodName } },
    spec: {
      ...spec,
      terminationGracePeriodSeconds: 1,
      // One that is left over ends by itself.
      activeDeadlineSeconds: 3600,
      containers: [
        {
          ...container,
          name: "vault",
          command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
        },
      ],
    },
  };
  const remove = async (signal: AbortSignal) => {
    await kube.delete(`${pods}/${fetchPodName}`, signal);
    const isGone = async () => {
      if (await kube.get(`${pods}/${fetchPodName}`, z.unknown(), signal)) throw new NotYet("it is there");
    };
    await until(`the pod ${fetchPodName} to be gone`, isGone, { ...step, signal });
  };
  await remove(step.signal);
  await kube.create(pods, pod, z.unknown(), step.signal);
  try {
    await until(
      `the pod ${fetchPodName} to run`,
      async () => {
        const story = storyOf(await getPod(kube, namespace, fetchPodName, step.signal));
        if (!story.running) throw new NotYet(story.words);
      },
      step,
      kubectl(target, `describe pod ${fetchPodName}`),
    );
    await work();
  } finally {
    await remove(AbortSignal.timeout(60_000));
  }
}
