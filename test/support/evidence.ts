import type { Evidence } from "../../operate/doctor/evidence/evidence.ts";
import type { Check, Finding } from "../../operate/doctor/finding.ts";
import type { PodSeen } from "../../operate/views/kubernetes-view.ts";
import { pulumiView } from "../../operate/views/pulumi-view.ts";
import type { VaultNode } from "../../operate/views/vault-view.ts";
import type { Resource } from "../../setup/stack.ts";
import { stateOf } from "./subject.ts";

const pods = ["vault-0", "vault-1", "vault-2"];

/** What an unsealed follower says of itself. */
export const standby: VaultNode = {
  initialised: true,
  sealed: false,
  progress: 0,
  threshold: 3,
  shares: 5,
  state: "standby",
  version: "1.21.1",
  clusterId: "one",
  leads: false,
  leaderAddress: "http://vault-0.vault-internal:8200",
  committedIndex: 100,
  appliedIndex: 100,
  clockAheadMs: 0,
  clockSkewMs: 0,
};
const active: VaultNode = { ...standby, state: "active", leads: true };

/** A pod whose Vault runs and is ready. */
export function podSeen(name: string, change: Partial<PodSeen> = {}): PodSeen {
  const metadata = { name, uid: `uid-of-${name}` };
  return {
    name,
    phase: "Running",
    ready: true,
    restarts: 0,
    container: `containerd://${name}`,
    node: "worker",
    labels: {},
    object: { metadata, spec: {}, status: {} },
    ...change,
  };
}

/** What is found at a stack that is well, with some of it changed. */
export function evidenceOf(change: Partial<Evidence> & { resources?: Resource[] } = {}): Evidence {
  const resources = change.resources ?? stateOf(pods);
  const kubernetes = {
    kind: "kubernetes",
    kubeconfig: ".local/stacks/dev/kubeconfig",
    namespace: "vault",
  } as const;
  return {
    subject: {
      stack: "dev",
      stackDir: ".local/stacks/dev",
      resources,
      pods,
      clusters: ["vault-ha-dev-abc"],
      target: { stack: "dev", stackDir: ".local/stacks/dev", scheme: "http", reach: kubernetes, giveUp: [] },
      keys: async () => undefined,
      host: () => "vault.localhost",
    },
    pulumi: pulumiView(resources, pods),
    engine: { value: [{ id: "1", name: "vault-ha-dev-abc-control-plane", running: true }] },
    kubernetes: { value: { pods: Object.fromEntries(pods.map((pod) => [pod, podSeen(pod)])), claims: [] } },
    vault: { "vault-0": { value: active }, "vault-1": { value: standby }, "vault-2": { value: standby } },
    nodeTls: Object.fromEntries(pods.map((pod) => [pod, { speaks: "http" as const }])),
    tls: undefined,
    raft: {
      value: {
        asked: "vault-0",
        failureTolerance: 1,
        servers: pods.map((node, at) => ({
          node,
          address: `${node}.vault-internal:8201`,
          leader: at === 0,
          voter: true,
          healthy: true,
          lastIndex: 100,
        })),
      },
    },
    snapshots: { value: [] },
    backup: undefined,
    journal: {
      value: {
        pod: "vault-0",
        intendedAt: "2026-01-02T00:00:10Z",
        initialisedAt: "2026-01-02T00:00:11Z",
        clusterId: "one",
        shares: 5,
        threshold: 3,
      },
    },
    api: {},
    cluster: {
      value: {
        nodes: [],
        events: [],
        internal: { spec: { publishNotReadyAddresses: true } },
        endpoints: pods,
        statefulSet: { metadata: { creationTimestamp: "2026-01-02T00:00:00Z" }, spec: { replicas: 3 } },
      },
    },
    audit: undefined,
    disks: {},
    auditDisks: {},
    peerCalls: [],
    logs: {},
    files: {
      journal: { path: ".local/stacks/dev/vault-init.json", mode: 0o600 },
      locks: { value: { dead: [], held: [] } },
      step: { value: undefined },
    },
    sameKeys: { value: true },
    stabilization: { value: "10s" },
    ...change,
  };
}

/** What a check finds. */
export function findings(check: Check, change: Parameters<typeof evidenceOf>[0]): Finding[] {
  return [...check.find(evidenceOf(change))].filter((answer): answer is Finding => "id" in answer);
}
