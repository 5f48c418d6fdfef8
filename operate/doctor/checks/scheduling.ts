import { listed } from "../../status/names.ts";
import { commandsOf } from "../../views/commands.ts";
import type { KubeNode } from "../evidence/cluster.ts";
import type { Check } from "../finding.ts";

/** Whether each pod was given a node. */
export const scheduling: Check = {
  looks: "whether each pod was given a Kubernetes node",
  *find({ subject, kubernetes, cluster }) {
    const { kubectl } = commandsOf(subject);
    for (const pod of Object.values(kubernetes?.value?.pods ?? {})) {
      const unmet = pod.object.status.conditions?.find(
        ({ type, status }) => type === "PodScheduled" && status === "False",
      );
      if (unmet === undefined) continue;
      const message = unmet.message ?? unmet.reason ?? "no reason given";
      // That claim has a check of its own.
      const nodes = cluster?.value?.nodes ?? [];
      const cordoned = nodes.filter(({ spec }) => spec.unschedulable).map(({ metadata }) => metadata.name);
      const open = nodes.filter(isOpen).length;
      yield {
        id: "pod-unschedulable",
        nodes: [pod.name],
        wrong: `${pod.name} cannot be scheduled: no Kubernetes node may take it`,
        ...(unmet.lastTransitionTime && { since: unmet.lastTransitionTime }),
        evidence: [
          { asked: `kubectl get pod ${pod.name}: condition PodScheduled`, answered: message },
          {
            asked: "kubectl get nodes: that take new pods",
            answered: `${open} of ${nodes.length}${cordoned.length > 0 ? `; cordoned: ${cordoned.join(", ")}` : ""}`,
          },
          { asked: "pods that the stack wants", answered: String(subject.pods.length) },
        ],
        means: meaning(message, cordoned),
        next: [
          ...cordoned.map((name) => kubectl(`uncordon ${name}`)),
          ...(cordoned.length === 0 && open < subject.pods.length
            ? [
                "# fewer pods (vault.replicas), more workers (cluster.workers; makes another cluster), or server.affinity in your values file",
              ]
            : []),
          kubectl(`describe pod ${pod.name}`),
        ],
      };
    }
  },
};

function isOpen({ spec }: KubeNode): boolean {
  const closed = spec.taints?.some(({ effect }) => effect === "NoSchedule" || effect === "NoExecute");
  return !spec.unschedulable && !closed;
}

function meaning(message: string, cordoned: string[]): string {
  const reasons: string[] = [];
  if (/anti-affinity/.test(message))
    reasons.push(
      "The chart's anti-affinity puts no two Vault pods on one node, and each node that is open has one already.",
    );
  if (cordoned.length > 0) reasons.push(`${listed(cordoned)}: cordoned, so no new pod is put there.`);
  if (/Insufficient/.test(message))
    reasons.push("No node has as much memory or CPU left as the pod requests.");
  if (/volume node affinity/.test(message))
    reasons.push("The pod's volume is on a node that it may not run on: it must run where its data is.");
  if (/unbound|persistentvolumeclaim/i.test(message)) reasons.push("Its claim has no volume yet.");
  return reasons.join(" ") || "The message above is the scheduler's own.";
}
