import { commandsOf } from "../../views/commands.ts";
import type { PodSeen } from "../../views/kubernetes-view.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Check, Finding } from "../finding.ts";

/** Whether each pod exists and its container runs: image, crash, or Kubernetes' own words. */
export const pods: Check = {
  looks: "each pod: there, its image pulled, its container running and not crashing",
  *find(evidence) {
    const { subject, kubernetes, pulumi } = evidence;
    if (!kubernetes?.value) return;
    const { kubectl, up } = commandsOf(subject);
    for (const node of subject.pods) {
      const pod = kubernetes.value.pods[node];
      if (pod === undefined) {
        // A stack whose release is not installed yet has no pods, and that is told elsewhere.
        const release = subject.resources.some(({ urn }) => urn.endsWith("::vault-release"));
        if (!release && pulumi.nodes[node]?.done.length === 0) continue;
        yield {
          id: "pod-missing",
          nodes: [node],
          wrong: `${node} has no pod`,
          evidence: [
            { asked: `kubectl get pod ${node}`, answered: "not found" },
            {
              asked: "kubectl get statefulset vault",
              answered: evidence.cluster?.value?.statefulSet
                ? `wants ${evidence.cluster.value.statefulSet.spec.replicas} pods`
                : "not found",
            },
          ],
          means: "The StatefulSet makes the pods: it was scaled down, is gone, or has just been told to.",
          next: evidence.cluster?.value?.statefulSet
            ? [
                kubectl(`scale statefulset vault --replicas=${subject.pods.length}`),
                kubectl("describe statefulset vault"),
              ]
            : [up],
        };
        continue;
      }
      const found = imageFault(evidence, pod) ?? crash(evidence, pod) ?? otherFault(evidence, pod);
      if (found) yield found;
    }
  },
};

function vaultContainer({ object }: PodSeen) {
  return object.status.containerStatuses?.find(({ name }) => name === "vault");
}

function imageFault({ subject, cluster }: Evidence, pod: PodSeen): Finding | undefined {
  const waiting = vaultContainer(pod)?.state?.waiting;
  if (!/^(ErrImage|ImagePull|InvalidImageName|ErrImageNeverPull)/.test(waiting?.reason ?? ""))
    return undefined;
  const { kubectl } = commandsOf(subject);
  const image = pod.object.spec.containers?.find(({ name }) => name === "vault")?.image ?? "not told";
  const events = (cluster?.value?.events ?? []).filter(
    ({ involvedObject, type }) => involvedObject.name === pod.name && type === "Warning",
  );
  // The first failure names the cause, later ones only that it waits.
  const cause = events.findLast(({ reason, message }) => reason === "Failed" && /pull/.test(message ?? ""));
  const first = events[0]?.firstTimestamp ?? events[0]?.eventTime;
  return {
    id: "image-not-pulled",
    nodes: [pod.name],
    wrong: `the image of ${pod.name} cannot be pulled`,
    ...(first && { since: first }),
    evidence: [
      { asked: `kubectl get pod ${pod.name}: image`, answered: image },
      {
        asked: `kubectl get pod ${pod.name}: state`,
        answered: [waiting?.reason, waiting?.message].filter(Boolean).join(": "),
      },
      ...(cause ? [{ asked: `last event of ${pod.name}`, answered: cause.message ?? "" }] : []),
    ],
    means:
      "The name or the tag is wrong, the registry does not answer from the node, or it wants a login. The pod stays like this until one of them changes.",
    next: [
      kubectl(`describe pod ${pod.name}`),
      `pulumi config get vault.valuesFile --stack ${subject.stack}   # server.image in your own values`,
      `# when the image is right again, the pod has to be made anew (OnDelete):`,
      kubectl(`delete pod ${pod.name}`),
    ],
  };
}

function crash({ subject, logs }: Evidence, pod: PodSeen): Finding | undefined {
  const status = vaultContainer(pod);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (pod.container !== undefined || ended === undefined || (status?.restartCount ?? 0) === 0)
    return undefined;
  const { kubectl } = commandsOf(subject);
  const log = logs[pod.name];
  return {
    id: "crash-loop",
    nodes: [pod.name],
    wrong: `the container of ${pod.name} ends again and again (${status?.restartCount} restarts)`,
    ...(ended.finishedAt && { since: ended.finishedAt }),
    evidence: [
      {
        asked: `kubectl get pod ${pod.name}: last state`,
        answered: `exit code ${ended.exitCode}, ${ended.reason ?? "no reason given"}; ${pod.why ?? ""}`,
      },
      {
        asked: `kubectl logs ${pod.name} --previous`,
        answered: log?.value?.trim() ?? log?.failed ?? "not asked",
      },
    ],
    means:
      "Vault's last words above say why. A wrong configuration and a store that cannot be opened are the usual reasons.",
    next: [
      kubectl(`logs ${pod.name} --previous --tail 100`),
      kubectl(`get configmap vault-config --output yaml`),
    ],
  };
}

function otherFault({ subject, cluster }: Evidence, pod: PodSeen): Finding | undefined {
  const scheduled = pod.object.status.conditions?.find(({ type }) => type === "PodScheduled");
  // Told by the check of the scheduling.
  if (pod.container !== undefined || scheduled?.status === "False") return undefined;
  const { kubectl } = commandsOf(subject);
  const event = cluster?.value?.events.findLast(({ involvedObject }) => involvedObject.name === pod.name);
  return {
    id: "pod-not-running",
    nodes: [pod.name],
    wrong: `${pod.name} does not run`,
    evidence: [
      { asked: `kubectl get pod ${pod.name}`, answered: `${pod.phase}; ${pod.why ?? "no reason given"}` },
      ...(event
        ? [{ asked: `last event of ${pod.name}`, answered: `${event.reason}: ${event.message}` }]
        : []),
    ],
    means:
      "Right after a start or a delete this passes within seconds. Where it stays, the event says what Kubernetes waits for.",
    next: [kubectl(`describe pod ${pod.name}`)],
  };
}
