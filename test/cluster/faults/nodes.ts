import { execa } from "execa";
import type { ClusterTools } from "../../support/cluster-tools.ts";
import type { Fault } from "./fault.ts";

/** Faults of the machine: nodes that are stopped. These take longest. */
export function nodeFaults(tools: ClusterTools): Fault[] {
  let pod = "";
  let node = "";
  const choose = async () => {
    [, pod = ""] = await tools.followers();
    node = await tools.nodeOf(pod);
  };
  return [
    {
      title: "a stopped node",
      make: async () => {
        await choose();
        await execa("docker", ["stop", "--time", "1", node]);
      },
      undo: async () => {
        await execa("docker", ["start", node]);
        await tools.unseal(pod);
      },
      expect: {
        id: "nodes-stopped",
        evidence: /docker ps: vault-ha-\S+-worker\d? => stopped/,
        next: /^npm run up/,
        verdict: "degraded",
      },
    },
    {
      title: "a stopped cluster",
      make: async () => {
        await execa("docker", ["stop", "--time", "1", ...(await tools.nodes())]);
      },
      undo: async () => {
        await execa("docker", ["start", ...(await tools.nodes())]);
        for (const each of tools.pods) await tools.unseal(each);
      },
      expect: {
        id: "kubernetes-unanswered",
        evidence: /GET \/api\/v1\/namespaces.* => .*ECONNREFUSED/,
        next: /^npm run up/,
        because: /^nodes-stopped$/,
        verdict: "down",
      },
    },
  ];
}
