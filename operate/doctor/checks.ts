import { atWork } from "./checks/at-work.ts";
import { audit } from "./checks/audit.ts";
import { backup } from "./checks/backup.ts";
import { certificate } from "./checks/certificate.ts";
import { claims } from "./checks/claims.ts";
import { clock } from "./checks/clock.ts";
import { disk } from "./checks/disk.ts";
import { engine } from "./checks/engine.ts";
import { internalServices } from "./checks/internal-service.ts";
import { journal } from "./checks/journal.ts";
import { keys } from "./checks/keys.ts";
import { kubeNodes } from "./checks/kube-nodes.ts";
import { kubernetesApi } from "./checks/kubernetes-api.ts";
import { leader } from "./checks/leader.ts";
import { peers } from "./checks/peers.ts";
import { pods } from "./checks/pods.ts";
import { raft } from "./checks/raft.ts";
import { scheduling } from "./checks/scheduling.ts";
import { seal } from "./checks/seal.ts";
import { selfUnseal } from "./checks/self-unseal.ts";
import type { Check } from "./finding.ts";

/** All checks, from the ground up: what is above stands on what is before it. */
export const checks: readonly Check[] = [
  engine,
  kubernetesApi,
  atWork,
  journal,
  keys,
  kubeNodes,
  scheduling,
  claims,
  pods,
  disk,
  audit,
  clock,
  internalServices,
  certificate,
  peers,
  selfUnseal,
  seal,
  raft,
  leader,
  backup,
];
