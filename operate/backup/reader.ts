/** The pod through which scheduled snapshots are read: the job's own, told to wait, with its image and its login. */
import { execa, type Options } from "execa";
import { z } from "zod";
import { CommandError } from "../../setup/command.ts";
import type { Environment } from "../../setup/environment.ts";
import { type BucketPlace, bucketOf } from "../../steps/lib/backup-bucket.ts";
import { backupName } from "../../steps/lib/backup-login.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { kubectl } from "../../steps/lib/target.ts";
import { until, type Waiting } from "../../steps/lib/wait.ts";
import type { OpenVault } from "../open-vault.ts";
import { bucketTrouble } from "./bucket-trouble.ts";

/** Runs a program in the pod, and gives what it printed. */
export interface Reader {
  /** undefined: the pod has the volume. */
  bucket?: BucketPlace;
  /** @throws CommandError where the program fails, with the reason in plain words where the bucket is it */
  run(command: readonly string[], options?: Options): Promise<string>;
}

const podName = "vault-backup-fetch";

const CronJob = z.object({
  spec: z.object({
    jobTemplate: z.object({
      spec: z.object({
        template: z.object({
          spec: z.looseObject({
            containers: z.tuple([
              z.looseObject({
                env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
              }),
            ]),
          }),
        }),
      }),
    }),
  }),
});

/** Runs the pod while there is work for it. It is taken away at the end, also after a failure. */
export async function withReader<T>(
  { target }: Pick<OpenVault, "target">,
  env: Environment,
  step: Waiting,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  const { kubeconfig, namespace } = target.reach;
  const kube = await openKube(kubeconfig);
  const cronJob = await kube.get(
    `/apis/batch/v1/namespaces/${namespace}/cronjobs/${backupName}`,
    CronJob,
    step.signal,
  );
  if (cronJob === undefined) throw new CommandError(`The cluster has no CronJob ${backupName}.`);
  // Nothing is saved: what the job does before it brings a snapshot to a bucket is left out.
  const { initContainers, ...spec } = cronJob.spec.jobTemplate.spec.template.spec;
  const [container] = spec.containers;
  const bucket = bucketOf(container.env);
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: podName, namespace, labels: { "app.kubernetes.io/name": podName } },
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
    await kube.delete(`${pods}/${podName}`, signal);
    const isGone = async () => {
      if (await kube.get(`${pods}/${podName}`, z.unknown(), signal)) throw new NotYet("it is there");
    };
    await until(`the pod ${podName} to be gone`, isGone, { ...step, signal });
  };
  const run = async (command: readonly string[], options: Options = {}) => {
    const at = ["--kubeconfig", kubeconfig, "--namespace", namespace, "exec", podName, "--"];
    const { exitCode, stdout, stderr } = await execa("kubectl", [...at, ...command], {
      env,
      cancelSignal: step.signal,
      reject: false,
      stdin: "ignore",
      ...options,
    });
    step.signal.throwIfAborted();
    if (exitCode === 0) return String(stdout ?? "");
    const said = String(stderr).trim();
    const trouble = bucket && bucketTrouble(said, bucket, (words) => kubectl(target, words));
    if (trouble) throw new CommandError(`${trouble.says}.\n${said}\nNext: ${trouble.next.join("\n")}`);
    throw new CommandError(`${command.join(" ")} did not work in the pod ${podName}: ${said}`);
  };
  await remove(step.signal);
  await kube.create(pods, pod, z.unknown(), step.signal);
  try {
    await until(
      `the pod ${podName} to run`,
      async () => {
        const story = storyOf(await getPod(kube, namespace, podName, step.signal));
        if (!story.running) throw new NotYet(story.words);
      },
      step,
      kubectl(target, `describe pod ${podName}`),
    );
    return await work({ ...(bucket && { bucket }), run });
  } finally {
    await remove(AbortSignal.timeout(60_000));
  }
}
