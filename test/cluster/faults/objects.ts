import type { ClusterTools } from "../../support/cluster-tools.ts";
import type { Fault } from "./fault.ts";

/** Faults of objects beside the pods: claims, services, and one pod too many. No container ends. */
export function objectFaults(tools: ClusterTools): Fault[] {
  let kept: object | undefined;
  const claim = (name: string, storageClassName: string) =>
    tools.apply({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name },
      spec: {
        storageClassName,
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Mi" } },
      },
    });
  return [
    {
      title: "a claim of a pod that this stack does not run",
      make: () => claim("data-vault-7", "standard"),
      undo: () => tools.looks.follow("delete pvc data-vault-7"),
      expect: {
        id: "claim-orphan",
        evidence: /kubectl get pvc data-vault-7 => Pending, UID /,
        next: /delete pvc data-vault-7/,
        verdict: "healthy",
      },
    },
    {
      title: "a claim that waits for a storage class that does not exist",
      make: () => claim("data-vault-7", "no-such-class"),
      undo: async () => void (await tools.kubectl("delete", "pvc", "data-vault-7")),
      expect: {
        id: "claim-pending",
        evidence: /phase Pending\nlast event of data-vault-7 => .*no-such-class/,
        next: /get storageclass/,
        verdict: "healthy",
      },
    },
    {
      title: "one pod more than there are nodes for, by the chart's anti-affinity",
      make: async () => void (await tools.kubectl("scale", "statefulset", "vault", "--replicas=4")),
      undo: async () => {
        await tools.kubectl("scale", "statefulset", "vault", "--replicas=3");
        await tools.kubectl("delete", "pvc", "data-vault-3", "--ignore-not-found");
      },
      expect: {
        id: "pod-unschedulable",
        evidence: /PodScheduled => 0\/4 nodes are available.*anti-affinity/,
        next: /describe pod vault-3/,
        verdict: "healthy",
      },
    },
    {
      title: "the service vault-internal deleted",
      make: async () => void (await tools.kubectl("delete", "service", "vault-internal")),
      undo: () => tools.looks.follow("apply --filename -"),
      expect: {
        id: "internal-service-missing",
        evidence: /kubectl get service vault-internal => not found/,
        next: /owner=helm,name=vault.*apply --filename -/,
        verdict: "healthy",
      },
    },
    {
      title: "the names of the nodes gone from the DNS, by a service without endpoints",
      make: async () => {
        kept = (await tools.object("service", "vault-internal")).spec?.selector;
        await tools.patch("service", "vault-internal", { spec: { selector: { component: "nobody" } } });
      },
      undo: () => tools.patch("service", "vault-internal", { spec: { selector: kept } }),
      expect: {
        id: "peer-name-unknown",
        evidence:
          /vault status .*-address=https:\/\/vault-\d\.vault-internal:8200 .*, in vault-\d => .*no such host/,
        next: /get service vault-internal/,
        because: /internal-service-no-endpoints vault-0 vault-1 vault-2/,
        verdict: "healthy",
      },
    },
  ];
}
