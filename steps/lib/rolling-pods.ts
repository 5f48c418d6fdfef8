import { createHash } from "node:crypto";
import { z } from "zod";
import { fingerprintOf } from "./certificates.ts";
import { NotYet, StepError, Unreachable, words } from "./errors.ts";
import { hangUp } from "./hang-up.ts";
import { type Kube, openKube } from "./kube.ts";
import { type Pod, tlsSecretIn, wayTo } from "./pod.ts";
import { storyOf } from "./pod-story.ts";
import { getPod } from "./pods.ts";
import { openRoad } from "./reach.ts";
import { type Road, shownCertificate } from "./road.ts";
import type { RollingNodes } from "./rollout.ts";
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
  const { namespace } = reach;
  const kube = await openKube(reach.kubeconfig);
  const pod = (name: string) => getPod(kube, namespace, name, signal);
  const roadTo = async (name: string): Promise<Road> => openRoad(wayTo(target, await pod(name)));
  /** The certificate that the pod was given; undefined where it was given none, or its Secret is gone. */
  const given = async (name: string): Promise<string | undefined> => {
    const secret = tlsSecretIn(await pod(name));
    if (secret === undefined) return undefined;
    return await tlsSecretOf(kube, namespace, secret, signal).then(
      ({ cert }) => cert,
      (error) => {
        if (error instanceof Unreachable || !(error instanceof NotYet)) throw error;
        return undefined;
      },
    );
  };
  /** undefined where it cannot be trusted: its authority may be the former one. */
  const shown = async (name: string): Promise<string | undefined> => {
    const road = await roadTo(name);
    return (await shownCertificate(road, name, signal).catch(() => undefined))?.fingerprint256;
  };
  const isCurrent = async (found: Pod) =>
    found.metadata.labels?.[revisionLabel] === (await currentRevision(kube, namespace, signal));

  return {
    names,
    vault: async (name) => new Vault(await roadTo(name), name, { signal }, token),
    seemsToLead: async (name) => (await pod(name)).metadata.labels?.["vault-active"] === "true",
    isStale: async (name) => {
      const found = await pod(name).catch(() => undefined);
      if (found === undefined || !storyOf(found).running) return false;
      const cert = await given(name);
      return cert !== undefined && (await shown(name)) !== fingerprintOf(cert);
    },
    reload: async (name) => {
      const cert = await given(name);
      if (cert === undefined) throw new StepError(`pod ${name} has no certificate`);
      const fingerprint = fingerprintOf(cert);
      if ((await shown(name)) === fingerprint) return;
      // The kubelet brings a changed Secret into a pod within a minute or two; a pod that changes it looks after at once.
      const annotations = { "vault-ha/certificate": fingerprint };
      await kube.patch(`/api/v1/namespaces/${namespace}/pods/${name}`, { metadata: { annotations } }, signal);
      const { execInPod } = await import("./exec.ts");
      await execInPod(kube, namespace, name, ["sh", "-c", hangUpOnceThere, "sh", sha256(cert)]).catch(
        (error) => Promise.reject(new NotYet(words(error))),
      );
      if ((await shown(name)) !== fingerprint) throw new NotYet(`${name} shows its former certificate`);
    },
    isOutdated: async (name) => !(await isCurrent(await pod(name))),
    restart: async (name) => {
      const found = await pod(name);
      if (!(await isCurrent(found))) {
        const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
        if (found.metadata.deletionTimestamp === undefined) await kube.delete(path, signal);
        throw new NotYet(`pod ${name} is being deleted`);
      }
      const { running, words: story } = storyOf(found);
      if (!running) throw new NotYet(story);
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
