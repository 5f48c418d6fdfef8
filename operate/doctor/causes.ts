import type { Finding } from "./finding.ts";

const stopped = ["engine-unanswered", "cluster-gone", "nodes-stopped"];
const unreached = [...stopped, "kubeconfig-other-cluster", "kubernetes-unanswered"];
const podDown = [
  "pod-unschedulable",
  "claim-pending",
  "claim-lost",
  "pod-missing",
  "image-not-pulled",
  "crash-loop",
  "pod-not-running",
];
const apart = [
  "internal-service-missing",
  "internal-service-no-endpoints",
  "peer-name-unknown",
  "peer-port-closed",
  "peer-tls-refused",
  "peer-no-answer",
];
/** What no client trusts, by the Secret. */
const certificateBad = [
  "certificate-missing",
  "certificate-expired",
  "certificate-not-yet-valid",
  "certificate-unfit",
];
/** What keeps this program and the other nodes from asking a node. */
const untrusted = [...certificateBad, "certificate-refused"];
const nodeDown = [
  ...unreached,
  "kubernetes-node-not-ready",
  ...podDown,
  "disk-full",
  "vault-unanswered",
  ...untrusted,
  "seal-not-reached",
];

/** What explains what: a symptom, and the findings that may be its cause. A finding that is not here is none's symptom. */
const causesOf: Record<string, readonly string[]> = {
  "kubernetes-unanswered": [...stopped, "kubeconfig-other-cluster"],
  "kubernetes-node-not-ready": stopped,
  "pod-unschedulable": ["nodes-stopped", "kubernetes-node-not-ready", "claim-pending"],
  "claim-pending": ["pod-unschedulable"],
  "pod-missing": unreached,
  "pod-not-running": [...stopped, "kubernetes-node-not-ready", "claim-pending"],
  "crash-loop": ["disk-full", "seal-not-reached"],
  "journal-missing": ["kubeconfig-other-cluster"],
  "claim-other": ["kubeconfig-other-cluster"],
  "peer-name-unknown": ["internal-service-missing", "internal-service-no-endpoints"],
  "peer-port-closed": ["nodes-stopped", ...podDown, "disk-full", "vault-unanswered"],
  "peer-no-answer": [
    "nodes-stopped",
    "kubernetes-node-not-ready",
    ...podDown,
    "disk-full",
    "vault-unanswered",
  ],
  "certificate-refused": [...certificateBad, "clock-skew"],
  "certificate-other": ["at-work"],
  "other-scheme": ["at-work"],
  "peer-tls-refused": [...untrusted, "certificate-other", "other-scheme"],
  "vault-unanswered": [
    ...unreached,
    ...untrusted,
    "kubernetes-node-not-ready",
    ...podDown,
    "disk-full",
    "peer-tls-refused",
    "seal-not-reached",
  ],
  "audit-blocked": ["audit-disk-full"],
  "not-joined": [...apart, "clock-skew", "at-work"],
  "not-initialised": ["at-work"],
  "blank-store": ["claim-other", "claim-lost"],
  sealed: [
    "seal-not-reached",
    "answer-lost",
    "keys-differ",
    "keys-do-not-fit",
    "keys-other-vault",
    "claim-old",
  ],
  "non-voter": [...nodeDown, ...apart, "clock-skew", "sealed", "at-work"],
  "raft-unhealthy": [...nodeDown, ...apart, "clock-skew", "sealed", "blank-store", "removed"],
  "not-in-raft": ["removed"],
  "stabilization-low": ["at-work"],
  "quorum-lost": [
    ...nodeDown,
    ...apart,
    "clock-skew",
    "sealed",
    "not-joined",
    "claim-other",
    "blank-store",
    "removed",
  ],
  "no-leader": [...apart, "clock-skew", "disk-full"],
};

/** A finding with those that explain it; none for a root cause. */
export interface Explained extends Finding {
  /** Ids of the findings that it follows from, each with its nodes: "image-not-pulled vault-1". */
  because: string[];
}

/** Puts root causes first, each in the order of the checks, and then what follows from them. */
export function explain(findings: readonly Finding[]): Explained[] {
  const explained = findings.map((finding) => ({
    ...finding,
    because: findings.filter((other) => other !== finding && explains(other, finding)).map(nameOf),
  }));
  // Two that explain each other would both be symptoms of nothing: the one that stands first is the cause.
  for (const [at, one] of explained.entries())
    for (const other of explained.slice(at + 1))
      if (one.because.includes(nameOf(other)) && other.because.includes(nameOf(one)))
        one.because = one.because.filter((name) => name !== nameOf(other));
  const roots = explained.filter(({ because }) => because.length === 0);
  const names = roots.map(nameOf);
  const symptoms = explained
    .filter(({ because }) => because.length > 0)
    .map((symptom) => {
      // A cause that is a symptom itself only lies on the way.
      const first = symptom.because.filter((name) => names.includes(name));
      return { ...symptom, because: first.length > 0 ? first : symptom.because };
    });
  return [...roots, ...symptoms];
}

function explains(cause: Finding, symptom: Finding): boolean {
  if (!causesOf[symptom.id]?.includes(cause.id)) return false;
  const whole = cause.nodes.length === 0 || symptom.nodes.length === 0;
  return whole || cause.nodes.some((node) => symptom.nodes.includes(node));
}

/** A finding's id with its nodes. */
export function nameOf({ id, nodes }: Finding): string {
  return [id, ...nodes].join(" ");
}
