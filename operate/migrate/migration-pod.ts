/** A pod on a Standalone's volume while no Vault runs there. */
import { execa } from "execa";
import { z } from "zod";
import type { Environment } from "../../setup/environment.ts";
import { NotYet, StepError } from "../../steps/lib/errors.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { until, type Waiting } from "../../steps/lib/wait.ts";
import type { Place } from "../adopt/found.ts";
import { claimName, type StandaloneSet } from "./found.ts";
import type { VolumePlace } from "./volume.ts";

export const migrationPodName = "vault-migrate";
const workFolder = "/vault-migrate";

/**
 * The Standalone's own pod, as far as it matters: the same image, which knows its storage, the same user, the same node
 * where it was chosen. It waits to be told what to do.
 */
export function migrationPod({ spec }: StandaloneSet, namespace: string) {
  const { containers, volumes = [], ...template } = spec.template.spec;
  const vault = containers.find(({ name }) => name === "vault") ?? containers[0];
  if (vault === undefined) throw new StepError("the StatefulSet has no container");
  const { image, imagePullPolicy, securityContext, volumeMounts = [] } = vault;
  // All that it mounts, but for other claims: an audit log's volume is left alone.
  const own = volumes.filter(({ persistentVolumeClaim }) => persistentVolumeClaim === undefined);
  const mounts = volumeMounts.filter(({ name }) => name === "data" || own.some((each) => each.name === name));
  const wanted = ["securityContext", "nodeSelector", "tolerations", "affinity", "imagePullSecrets"];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: migrationPodName, namespace, labels: { "app.kubernetes.io/name": migrationPodName } },
    spec: {
      ...Object.fromEntries(Object.entries(template).filter(([key]) => wanted.includes(key))),
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      volumes: [
        { name: "data", persistentVolumeClaim: { claimName } },
        { name: "migrate-work", emptyDir: {} },
        ...own,
      ],
      containers: [
        {
          name: "vault",
          image,
          ...(imagePullPolicy !== undefined && { imagePullPolicy }),
          ...(securityContext !== undefined && { securityContext }),
          command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
          // The image's own files may be read-only.
          env: [{ name: "TMPDIR", value: workFolder }],
          volumeMounts: [{ name: "migrate-work", mountPath: workFolder }, ...mounts],
        },
      ],
    },
  };
}

/** Where the data is mounted in it. */
export function dataFolder({ spec }: StandaloneSet): string {
  const mounts = spec.template.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  return mounts.find(({ name }) => name === "data")?.mountPath ?? "/vault/data";
}

/** Works on the volume in such a pod, which is taken away at the end, also after a failure. */
export async function onVolume<T>(
  set: StandaloneSet,
  { kube, namespace }: Place,
  { kubeconfig, env }: { kubeconfig: string; env: Environment },
  step: Waiting,
  work: (place: VolumePlace) => Promise<T>,
): Promise<T> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const remove = async (signal: AbortSignal) => {
    await kube.delete(`${path}/${migrationPodName}`, signal);
    await until(
      `the pod ${migrationPodName} to be gone`,
      async () => {
        if (await kube.get(`${path}/${migrationPodName}`, z.unknown(), signal))
          throw new NotYet("it is there");
      },
      { ...step, signal },
    );
  };
  // One that an earlier run left may still be at work: two at once would spoil the data.
  await remove(step.signal);
  await kube.create(path, migrationPod(set, namespace), z.unknown(), step.signal);
  try {
    const kubectl = `kubectl --kubeconfig ${kubeconfig} --namespace ${namespace}`;
    await until(
      `the pod ${migrationPodName} to run`,
      async () => {
        const story = storyOf(await getPod(kube, namespace, migrationPodName, step.signal));
        if (!story.running) throw new NotYet(story.words);
      },
      step,
      `${kubectl} describe pod ${migrationPodName}`,
    );
    const exec = ["--kubeconfig", kubeconfig, "--namespace", namespace, "exec", migrationPodName, "--"];
    return await work({
      folder: dataFolder(set),
      run: async (command, into) => {
        const { exitCode, stdout, stderr } = await execa("kubectl", [...exec, ...command], {
          env,
          cancelSignal: step.signal,
          reject: false,
          stdin: "ignore",
          stdout: into === undefined ? "pipe" : { file: into },
        });
        step.signal.throwIfAborted();
        return { exitCode: exitCode ?? -1, stdout: String(stdout ?? ""), stderr };
      },
    });
  } finally {
    await remove(AbortSignal.timeout(60_000));
  }
}
