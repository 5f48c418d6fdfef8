import { z } from "zod";
import { stackLabel } from "../../components/cluster.ts";
import { schemeOf } from "../../steps/lib/pod.ts";
import { claimUid, getPod } from "../../steps/lib/pods.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { podNames, type Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VolumeClaimTemplates } from "../views/volume-templates.ts";
import type { Found, FoundPeer, FoundPod, Place } from "./found.ts";
import { findRelease } from "./release-note.ts";

const StatefulSet = z.object({
  spec: z.object({ replicas: z.number(), volumeClaimTemplates: VolumeClaimTemplates }),
});
const Namespace = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }) });

/** The stack to which a namespace belongs; undefined where it says none. */
export async function ownerAt({ kube, namespace, signal }: Place): Promise<string | undefined> {
  const space = await kube.get(`/api/v1/namespaces/${namespace}`, Namespace, signal);
  return space?.metadata.labels?.[stackLabel];
}

/** Looks at a Vault that somebody else has made, and changes nothing. */
export async function gatherFound(kubeconfig: string, place: Place): Promise<{ found: Found; road: Road }> {
  const { kube, namespace, signal } = place;
  const [release, owner, set] = await Promise.all([
    findRelease(kube, namespace, "vault", signal),
    ownerAt(place),
    kube.get(`/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`, StatefulSet, signal),
  ]);
  const names = podNames(set?.spec.replicas ?? 0);
  const objects = await Promise.all(
    names.map((name) => getPod(kube, namespace, name, signal).catch(() => undefined)),
  );
  const [first] = objects;
  const scheme = (first && schemeOf(first)) ?? "http";
  const road = await openRoad({ scheme, reach: { kind: "kubernetes", kubeconfig, namespace } });
  const pods = names.map(async (name, at): Promise<FoundPod> => {
    const pod = objects[at];
    const vault = new Vault(road, name, { signal });
    const [status, store] = await Promise.all([
      vault.sealStatus().catch(() => undefined),
      pod && claimUid(kube, namespace, pod, signal).catch(() => undefined),
    ]).finally(() => vault.close());
    return {
      name,
      pod,
      store,
      initialised: status?.initialized === true,
      sealed: status?.sealed !== false,
      seal: status?.type ?? "shamir",
      storage: status?.storage_type,
      shares: status?.n,
      threshold: status?.t,
    };
  });
  const templates = set?.spec.volumeClaimTemplates ?? [];
  return {
    road,
    found: {
      release,
      owner,
      pods: await Promise.all(pods),
      peers: undefined,
      volumes: Object.fromEntries(
        templates.map(({ name, size, storageClass }) => [name, { size, storageClass }]),
      ),
      scheme,
      image: first?.spec.containers?.find(({ name }) => name === "vault")?.image,
    },
  };
}

/** The servers of the raft configuration; undefined where the token is not good, or nobody answers. */
export async function peersOf(vault: Vault): Promise<FoundPeer[] | undefined> {
  const servers = await vault
    .raftServers()
    .catch(() => undefined)
    .finally(() => vault.close());
  return servers?.map(({ node_id, voter }) => ({ node: node_id, voter }));
}
