import { z } from "zod";
import type { Kube } from "../../steps/lib/kube.ts";
import { schemeOf } from "../../steps/lib/pod.ts";
import { getPod, vaultClaims } from "../../steps/lib/pods.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { podNames, type Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { type Found, ownerOf } from "./look.ts";
import { findRelease } from "./release-note.ts";

const StatefulSet = z.object({ spec: z.object({ replicas: z.number() }) });
const Namespace = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }) });

/** Looks at a Vault that somebody else has made, and changes nothing. */
export async function gatherFound(
  kube: Kube,
  { kubeconfig, namespace, token }: { kubeconfig: string; namespace: string; token: string | undefined },
  signal: AbortSignal,
): Promise<{ found: Found; road: Road }> {
  const [release, space, set, claims] = await Promise.all([
    findRelease(kube, namespace, "vault", signal),
    kube.get(`/api/v1/namespaces/${namespace}`, Namespace, signal),
    kube.get(`/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`, StatefulSet, signal),
    vaultClaims(kube, namespace, signal),
  ]);
  const names = podNames(set?.spec.replicas ?? 0);
  const pods = await Promise.all(
    names.map((name) => getPod(kube, namespace, name, signal).catch(() => undefined)),
  );
  const [first] = pods;
  const scheme = (first && schemeOf(first)) ?? "http";
  const road = await openRoad({ scheme, reach: { kind: "kubernetes", kubeconfig, namespace } });
  const looks = names.map(async (name, at) => {
    const vault = new Vault(road, name, { signal });
    const status = await vault
      .sealStatus()
      .catch(() => undefined)
      .finally(() => vault.close());
    return {
      name,
      pod: pods[at],
      initialised: status?.initialized === true,
      sealed: status?.sealed !== false,
      storage: status?.storage_type,
      threshold: status?.t,
    };
  });
  const data = claims.find(({ name }) => name === "data-vault-0");
  const containers = first?.spec.containers ?? [];
  return {
    road,
    found: {
      release,
      owner: ownerOf(space?.metadata.labels),
      pods: await Promise.all(looks),
      peers: token === undefined ? undefined : await peersOf(road, names[0], token, signal),
      volume: { size: data?.size, storageClass: data?.storageClass },
      scheme,
      image: containers.find(({ name }) => name === "vault")?.image,
    },
  };
}

/** undefined where the token is not good any more, or nobody answers. */
async function peersOf(road: Road, node: string | undefined, token: string, signal: AbortSignal) {
  if (node === undefined) return undefined;
  const vault = new Vault(road, node, { signal }, token);
  const servers = await vault
    .raftServers()
    .catch(() => undefined)
    .finally(() => vault.close());
  return servers?.map(({ node_id, voter }) => ({ node: node_id, voter }));
}
