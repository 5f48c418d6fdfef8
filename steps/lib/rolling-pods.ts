import { createHash } from "node:crypto";
import { z } from "zod";
import { fingerprintOf } from "./certificates.ts";
import { NotYet, StepError, words } from "./errors.ts";
import { hangUp } from "./hang-up.ts";
import { type Kube, openKube } from "./kube.ts";
import { type Pod, schemeOf } from "./pod.ts";
import { storyOf } from "./pod-story.ts";
import { getPod } from "./pods.ts";
import { openRoad } from "./reach.ts";
import { type Road, shownCertificate } from "./road.ts";
import type { Need, RollingNodes } from "./rollout.ts";
import type { Target } from "./target.ts";
import { tlsFolder, tlsSecretOf } from "./tls-secret.ts";
import { Vault } from "./vault.ts";

const StatefulSet = z.object({
  metadata: z.object({ generation: z.number() }),
  status: z.object({ observedGeneration: z.number().optional(), updateRevision: z.string().optional() }),
});

/** The label by which a StatefulSet tells from which template it made a pod. */
const revisionLabel = "controller-revision-hash";

/** The pods of Vault's StatefulSet, which replaces none by itself (updateStrategy OnDelete). */
export async function rollingPods(
  target: Target,
  names: readonly string[],
  token: string,
  signal: AbortSignal,
): Promise<RollingNodes> {
  const { reach } = target;
  if (reach.kind !== "kubernetes") throw new StepError("only the pods of a StatefulSet can be rolled out");
  const { namespace, tlsSecret } = reach;
  const kube = await openKube(reach.kubeconfig);
  const roads: Record<Target["scheme"], Road> = {
    // A pod that was made before TLS was turned on, or off, speaks as it did then.
    http: await openRoad({ ...target, scheme: "http" }),
    https: await openRoad({ ...target, scheme: "https" }),
  };
  const pod = (name: string) => getPod(kube, namespace, name, signal);
  const secretNow = async () =>
    target.scheme === "https" && tlsSecret !== undefined
      ? tlsSecretOf(kube, namespace, tlsSecret, signal)
      : undefined;
  const shows = async (name: string) =>
    (await shownCertificate(roads.https, name, signal).catch(() => undefined))?.fingerprint256;

  return {
    names,
    vault: async (name) => {
      const scheme = schemeOf(await pod(name)) ?? target.scheme;
      return new Vault(roads[scheme], name, { signal }, token);
    },
    need: async (name): Promise<Need | undefined> => {
      const revision = await currentRevision(kube, namespace, signal);
      const found = await pod(name);
      if (found.metadata.labels?.[revisionLabel] !== revision) return "restart";
      runningOrNotYet(found);
      const secret = await secretNow();
      return secret && (await shows(name)) !== fingerprintOf(secret.cert) ? "reload" : undefined;
    },
    restart: async (name) => {
      const revision = await currentRevision(kube, namespace, signal);
      const found = await pod(name);
      if (
        found.metadata.labels?.[revisionLabel] !== revision &&
        found.metadata.deletionTimestamp === undefined
      ) {
        await kube.delete(`/api/v1/namespaces/${namespace}/pods/${name}`, signal);
        throw new NotYet(`pod ${name} is being deleted`);
      }
      if (found.metadata.labels?.[revisionLabel] !== revision)
        throw new NotYet(`pod ${name} is being deleted`);
      runningOrNotYet(found);
    },
    reload: async (name) => {
      const secret = await secretNow();
      if (secret === undefined) return;
      const fingerprint = fingerprintOf(secret.cert);
      if ((await shows(name)) === fingerprint) return;
      // The kubelet brings a changed Secret into a pod within a minute or two; a pod that changes it looks after at once.
      const annotations = { "vault-ha/certificate": fingerprint };
      await kube.patch(`/api/v1/namespaces/${namespace}/pods/${name}`, { metadata: { annotations } }, signal);
      const { execInPod } = await import("./exec.ts");
      await execInPod(kube, namespace, name, ["sh", "-c", hangUpOnceThere, "sh", sha256(secret.cert)]).catch(
        (error) => Promise.reject(new NotYet(words(error))),
      );
      if ((await shows(name)) !== fingerprint) throw new NotYet(`${name} shows its former certificate`);
    },
  };
}

/** Exits with 1 as long as the certificate in the pod is not that of the Secret, whose SHA-256 comes as $1. */
const hangUpOnceThere = `set -- "$1" $(sha256sum <${tlsFolder}/tls.crt)
[ "$1" = "$2" ] || { echo the Secret has not reached the pod yet; exit 1; }
${hangUp}`;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The template that the StatefulSet's pods are to be made from, once its controller has seen the newest. */
async function currentRevision(kube: Kube, namespace: string, signal: AbortSignal): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`;
  const found = await kube.get(path, StatefulSet, signal);
  const revision = found?.status.updateRevision;
  if (found === undefined || revision === undefined) throw new NotYet("there is no StatefulSet vault yet");
  if (found.status.observedGeneration !== found.metadata.generation)
    throw new NotYet("the StatefulSet's controller has not seen its newest template yet");
  return revision;
}

function runningOrNotYet(pod: Pod): void {
  const { running, words } = storyOf(pod);
  if (!running) throw new NotYet(words);
}
