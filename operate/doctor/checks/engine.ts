import { listed } from "../../status/names.ts";
import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether Docker answers and runs the cluster's nodes. */
export const engine: Check = {
  looks: "Docker and the cluster's nodes in it",
  *find({ subject, engine, kubernetes }) {
    if (engine === undefined) return;
    const { up } = commandsOf(subject);
    const asked = `docker ps --all --filter label=io.x-k8s.kind.cluster=${subject.clusters.join()}`;
    if (engine.failed !== undefined) {
      yield {
        id: "engine-unanswered",
        nodes: [],
        wrong: "Docker does not answer",
        evidence: [{ asked, answered: engine.failed }],
        means: "The cluster's nodes are containers: without Docker none of them is known to run.",
        next: ["docker info", up],
      };
      return;
    }
    const stopped = engine.value.filter(({ running }) => !running).map(({ name }) => name);
    if (engine.value.length === 0)
      yield {
        id: "cluster-gone",
        nodes: [],
        wrong: `Docker has no node of the cluster ${subject.clusters.join()}, which Pulumi's state knows`,
        evidence: [{ asked, answered: "none" }],
        means:
          "The cluster was removed, not stopped, and the volumes went with its nodes. What is left of Vault is what a snapshot holds, and the keys that open it.",
        next: [
          `cp ${subject.stackDir}/vault-init.json <a safe place>`,
          "# then make another, empty cluster; the keys of the old Vault do not open the new one",
          `npm run down -- --stack ${subject.stack}`,
          up,
        ],
      };
    if (stopped.length === 0) return;
    const pods = Object.values(kubernetes?.value?.pods ?? {});
    const all = stopped.length === engine.value.length;
    const hit = pods.filter(({ node }) => node && stopped.includes(node)).map(({ name }) => name);
    const control = stopped.some((name) => name.endsWith("-control-plane"));
    yield {
      id: "nodes-stopped",
      nodes: control || kubernetes?.failed !== undefined ? [] : hit,
      wrong: all ? "all nodes of the cluster are stopped" : `Docker has stopped the node ${listed(stopped)}`,
      evidence: engine.value.map(({ name, running }) => ({
        asked: `docker ps: ${name}`,
        answered: running ? "running" : "stopped",
      })),
      means: control
        ? "Kubernetes does not answer without its control-plane. As after a restart of the machine, Vault's data is on the nodes' disks and is not lost."
        : `The pods on it do not run${hit.length > 0 ? ` (${listed(hit)})` : ""}, whatever Kubernetes still says of them. Their data is on the node's disk and is not lost.`,
      next: [up],
    };
  },
};
