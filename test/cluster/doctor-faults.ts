import type { ClusterTools } from "../support/cluster-tools.ts";
import { certificateFaults } from "./faults/certificates.ts";
import type { Fault } from "./faults/fault.ts";
import { fileFaults } from "./faults/files.ts";
import { nodeFaults } from "./faults/nodes.ts";
import { objectFaults } from "./faults/objects.ts";
import { podFaults } from "./faults/pods.ts";

/** All faults. Each begins on a healthy cluster, and leaves one. */
export function doctorFaults(tools: ClusterTools): Fault[] {
  return [
    ...fileFaults(tools),
    ...objectFaults(tools),
    ...certificateFaults(tools),
    ...podFaults(tools),
    ...nodeFaults(tools),
  ];
}
