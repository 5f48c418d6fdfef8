import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether Kubernetes calls its nodes ready. */
export const kubeNodes: Check = {
  looks: "whether each Kubernetes node is ready",
  *find({ subject, cluster, kubernetes }) {
    if (cluster === undefined) return;
    const { kubectl, up } = commandsOf(subject);
    if (cluster.failed !== undefined) {
      if (kubernetes?.failed === undefined)
        yield { notLooked: `Kubernetes' nodes, events and services: ${cluster.failed}` };
      return;
    }
    for (const { metadata, status } of cluster.value.nodes) {
      const ready = status.conditions?.find(({ type }) => type === "Ready");
      if (ready?.status === "True") continue;
      const hit = Object.values(kubernetes?.value?.pods ?? {}).filter(({ node }) => node === metadata.name);
      yield {
        id: "kubernetes-node-not-ready",
        nodes: hit.map(({ name }) => name),
        wrong: `Kubernetes calls its node ${metadata.name} not ready`,
        ...(ready?.lastTransitionTime && { since: ready.lastTransitionTime }),
        evidence: [
          {
            asked: `GET /api/v1/nodes/${metadata.name}: condition Ready`,
            answered: [ready?.status ?? "none", ready?.reason, ready?.message].filter(Boolean).join(": "),
          },
        ],
        means:
          "Its kubelet tells nothing any more: what runs there is not known, and no pod is started there.",
        next: [kubectl(`describe node ${metadata.name}`), up],
      };
    }
  },
};
