import type { ClusterTools } from "../../support/cluster-tools.ts";
import type { Fault } from "./fault.ts";

/** Faults of pods. Each ends a container or seals a Vault. */
export function podFaults(tools: ClusterTools): Fault[] {
  let pod = "";
  let node = "";
  let kept = "";
  let configuration: object | undefined;
  const choose = async () => {
    [, pod = ""] = await tools.followers();
    node = await tools.nodeOf(pod);
  };
  return [
    {
      title: "a Vault that was sealed by hand, and its container is the same",
      make: async () => {
        pod = await tools.leader();
        await tools.seal(pod);
      },
      undo: () => tools.looks.follow("pulumi up"),
      expect: {
        id: "sealed",
        evidence: /sealed: true, progress 0 of 3/,
        next: /^pulumi up --stack \S+ --replace '\*\*lifecycle-unseal-vault-\d'$/,
        verdict: "degraded",
      },
    },
    {
      title: "a pod that was started again, and is sealed",
      make: async () => {
        await choose();
        await tools.deletePods(pod);
      },
      undo: () => tools.unseal(pod),
      expect: {
        id: "sealed",
        evidence: /seal-status of vault-\d => sealed: true[\s\S]*container that was unsealed => containerd/,
        next: /^npm run up/,
        verdict: "degraded",
      },
    },
    {
      title: "an image that cannot be pulled",
      make: async () => {
        await choose();
        kept = await tools.kubectl("get", "statefulset", "vault", "--output", "jsonpath={..image}");
        await tools.kubectl("set", "image", "statefulset/vault", "vault=hashicorp/vault:no-such-tag");
        await tools.deletePods(pod);
      },
      undo: async () => {
        await tools.kubectl("set", "image", "statefulset/vault", `vault=${kept}`);
        await tools.deletePods(pod);
        await tools.unseal(pod);
      },
      expect: {
        id: "image-not-pulled",
        evidence: /image => hashicorp\/vault:no-such-tag\n.*state => (ErrImagePull|ImagePullBackOff)/,
        next: /describe pod vault-\d[\s\S]*delete pod vault-\d/,
        verdict: "degraded",
      },
    },
    {
      title: "a container that crashes, by a configuration that is wrong",
      make: async () => {
        await choose();
        configuration = (await tools.object("configmap", "vault-config")).data;
        const data = { "extraconfig-from-values.hcl": 'listener "tcp" { address = ' };
        await tools.patch("configmap", "vault-config", { data });
        await tools.deletePods(pod);
      },
      undo: async () => {
        await tools.patch("configmap", "vault-config", { data: configuration });
        await tools.deletePods(pod);
        await tools.unseal(pod);
      },
      expect: {
        id: "crash-loop",
        evidence: /last state => exit code 1[\s\S]*logs vault-\d --previous => .*[Ee]rror/,
        next: /logs vault-\d --previous/,
        verdict: "degraded",
      },
    },
    {
      title: "a pod whose Kubernetes node is cordoned",
      make: async () => {
        await choose();
        await tools.kubectl("cordon", node);
        await tools.deletePods(pod);
      },
      undo: async () => {
        await tools.looks.follow("uncordon");
        await tools.unseal(pod);
      },
      expect: {
        id: "pod-unschedulable",
        evidence: /PodScheduled => 0\/4 nodes are available[\s\S]*cordoned: /,
        next: /uncordon vault-ha-/,
        verdict: "degraded",
      },
    },
    {
      title: "one pod fewer than the stack runs",
      make: async () => void (await tools.kubectl("scale", "statefulset", "vault", "--replicas=2")),
      undo: async () => {
        await tools.looks.follow("scale statefulset vault --replicas=3");
        await tools.unseal("vault-2");
      },
      expect: {
        id: "pod-missing",
        evidence: /kubectl get pod vault-2 => not found\n.*wants 2 pods/,
        next: /scale statefulset vault --replicas=3/,
        verdict: "degraded",
      },
    },
    {
      title: "the quorum lost, by two pods that were started again",
      make: async () => tools.deletePods(...(await tools.followers())),
      undo: async () => {
        for (const each of tools.pods) await tools.unseal(each);
      },
      expect: {
        id: "quorum-lost",
        evidence: /voter vault-\d \(vault-\d\.vault-internal:8201\) => sealed, 0 of 3/,
        // No peers.json: every voter still has its store.
        next: /^npm run up[^#]*$/,
        because: /sealed vault-\d\nsealed vault-\d/,
        verdict: "down",
      },
    },
  ];
}
