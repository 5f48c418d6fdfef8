import { createHash } from "node:crypto";
import { z } from "zod";
import { fingerprintOf } from "./certificates.ts";
import { NotYet, StepError, words } from "./errors.ts";
import { type Kube, openKube } from "./kube.ts";
import { type Pod, seemsToLead, tlsSecretIn, wayTo } from "./pod.ts";
import { storyOf } from "./pod-story.ts";
import { getPod } from "./pods.ts";
import { openRoad } from "./reach.ts";
import { type Road, shownCertificate } from "./road.ts";
import type { RollingNodes } from "./rolling-nodes.ts";
import type { Target } from "./target.ts";
import { findTlsSecret, tlsFolder } from "./tls-secret.ts";
import { Vault } from "./vault.ts";
import { hangUp } from "./vault-process.ts";

const StatefulSet = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })) }),
    }),
  }),
  status: z.object({ observedGeneration: z.number().optional(), updateRevision: z.string().optional() }),
});

/** The label by which a StatefulSet tells from which template it made a pod. */
export const revisionLabel = "controller-revision-hash";

/** The pods of Vault's StatefulSet, which replaces none by itself (updateStrategy OnDelete). */
export async function rollingPods(
  target: Target,
  names: readonly string[],
  token: string,
  signal: AbortSignal,
): Promise<RollingNodes> {
  const { reach } = target;
  if (reach.kind !== "kubernetes") throw new StepError("only the pods of a StatefulSet can be rolled out");
  const { namespace } = reach;
  const kube = await openKube(reach.kubeconfig);
  const podOf = (name: string) => getPod(kube, namespace, name, signal);
  const pathOf = ({ metadata }: Pod) => `/api/v1/namespaces/${namespace}/pods/${metadata.name}`;
  const roadTo = (pod: Pod): Promise<Road> => openRoad(wayTo(target, pod));
  /** The certificate that the pod was given; undefined where it was given none, or its Secret is gone. */
  const given = async (pod: Pod): Promise<string | undefined> => {
    const secret = tlsSecretIn(pod);
    return secret && (await findTlsSecret(kube, namespace, secret, signal))?.cert;
  };
  /** Whether the pod shows this certificate. One that cannot be trusted is none: its authority may be the former one. */
  const shows = async (pod: Pod, fingerprint: string): Promise<boolean> => {
    const shown = shownCertificate(await roadTo(pod), pod.metadata.name, signal);
    return (await shown.catch(() => undefined))?.fingerprint256 === fingerprint;
  };
  const isCurrent = async ({ metadata }: Pod) =>
    metadata.labels?.[revisionLabel] === (await currentRevision(kube, namespace, signal));

  return {
    names,
    vault: async (name) => new Vault(await roadTo(await podOf(name)), name, { signal }, token),
    seemsToLead: async (name) => seemsToLead(await podOf(name)),
    isStale: async (name) => {
      const pod = await podOf(name);
      const cert = storyOf(pod).running ? await given(pod) : undefined;
      return cert !== undefined && !(await shows(pod, fingerprintOf(cert)));
    },
    reload: async (name) => {
      const pod = await podOf(name);
      const cert = await given(pod);
      if (cert === undefined) throw new StepError(`pod ${name} has no certificate`);
      const fingerprint = fingerprintOf(cert);
      if (await shows(pod, fingerprint)) return;
      // The kubelet brings a changed Secret into a pod within a minute or two; a pod that changes it looks after at once.
      const annotations = { "vault-ha/certificate": fingerprint };
      await kube.patch(pathOf(pod), { metadata: { annotations } }, signal);
      const { execInPod } = await import("./exec.ts");
      await execInPod(kube, namespace, name, ["sh", "-c", hangUpOnceThere, "sh", sha256(cert)]).catch(
        (error) => Promise.reject(new NotYet(words(error))),
      );
      if (!(await shows(pod, fingerprint))) throw new NotYet(`${name} shows its former certificate`);
    },
    isOutdated: async (name) => !(await isCurrent(await podOf(name))),
    image: async () => {
      const { containers } = (await newestSet(kube, namespace, signal)).spec.template.spec;
      return containers.find(({ name }) => name === "vault")?.image ?? "";
    },
    restart: async (name) => {
      const pod = await podOf(name);
      if (!(await isCurrent(pod))) {
        if (pod.metadata.deletionTimestamp === undefined) await kube.delete(pathOf(pod), signal);
        throw new NotYet(`pod ${name} is being deleted`);
      }
      const { running, words: story } = storyOf(pod);
      if (!running) throw new NotYet(story);
    },
  };
}

/** Exits with 1 as long as the certificate in the pod is not that of the Secret, whose SHA-256 comes as $1. */
const hangUpOnceThere = `set -- "$1" $(sha256sum <${tlsFolder}/tls.crt)
[ "$1" = "$2" ] || { echo the Secret has not reached the pod yet; exit 1; }
${hangUp}`;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * The template that the StatefulSet's pods are to be made from. Throws NotYet where its controller has not seen the
 * newest.
 */
export async function currentRevision(kube: Kube, namespace: string, signal: AbortSignal): Promise<string> {
  return (await newestSet(kube, namespace, signal)).revision;
}

async function newestSet(kube: Kube, namespace: string, signal: AbortSignal) {
  const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`;
  const found = await kube.get(path, StatefulSet, signal);
  const revision = found?.status.updateRevision;
  if (found === undefined || revision === undefined) throw new NotYet("there is no StatefulSet vault yet");
  if (found.status.observedGeneration !== found.metadata.generation)
    throw new NotYet("the StatefulSet's controller has not seen its newest template yet");
  return { ...found, revision };
}
