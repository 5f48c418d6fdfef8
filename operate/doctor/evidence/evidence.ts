import type { Answer } from "../../views/answer.ts";
import type { Subject } from "../../views/subject.ts";
import type { Views } from "../../views/views.ts";
import type { ClusterEvidence } from "./cluster.ts";
import type { Disk } from "./disk.ts";
import type { Files } from "./files.ts";
import type { PeerCall } from "./peers.ts";

/** Everything that the checks look at: the views of `npm run status`, and what is worth a closer look. */
export interface Evidence extends Views {
  subject: Subject;
  /** Where the kubeconfig leads, and where Docker has the cluster's API; absent where either is not known. */
  api: { kubeconfig?: string; docker?: string };
  /** Undefined where the nodes are reached without Kubernetes. */
  cluster: Answer<ClusterEvidence> | undefined;
  /** By node, of those that run. */
  disks: Record<string, Answer<Disk>>;
  /** The same of the audit logs' disks; none where the stack has no audit device. */
  auditDisks: Record<string, Answer<Disk>>;
  /** Between the node that leads, or the first one, and each other one that runs, both ways. */
  peerCalls: { from: string; to: string; call: Answer<PeerCall> }[];
  /** The last lines of nodes that need a look, without secrets. */
  logs: Record<string, Answer<string>>;
  files: Files;
  /** Whether the journal and the state hold the same keys; undefined where one of them holds none. */
  sameKeys: Answer<boolean | undefined>;
  /** Autopilot's server_stabilization_time. */
  stabilization: Answer<string>;
}
