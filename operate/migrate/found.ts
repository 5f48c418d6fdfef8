/** A Vault of one node on the storage "file", as Helm's chart makes it with server.standalone, and a look at one. */
import { z } from "zod";
import { schemeOf } from "../../steps/lib/pod.ts";
import { claimUid, getPod } from "../../steps/lib/pods.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { Place } from "../adopt/found.ts";
import { ownerAt } from "../adopt/gather.ts";
import { findRelease, type ReleaseNote } from "../adopt/release-note.ts";
import { VolumeClaimTemplates, type VolumeTemplate } from "../views/volume-templates.ts";

const Mount = z.looseObject({ name: z.string(), mountPath: z.string() });
const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  volumeMounts: z.array(Mount).optional(),
});

/** The StatefulSet, with all that a pod is made from. */
export const StandaloneSet = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(Container).min(1),
        volumes: z.array(z.looseObject({ name: z.string() })).optional(),
      }),
    }),
    volumeClaimTemplates: z.unknown(),
  }),
});
export type StandaloneSet = z.output<typeof StandaloneSet>;

/** What its Vault says of itself. */
const Seal = z.object({
  type: z.string(),
  initialized: z.boolean(),
  sealed: z.boolean(),
  t: z.number(),
  n: z.number(),
  version: z.string(),
  storage_type: z.string(),
});

/** What was found. All of it is public. */
export interface Standalone {
  release: ReleaseNote | undefined;
  /** The stack to which the namespace belongs. */
  owner: string | undefined;
  set: StandaloneSet | undefined;
  volumes: VolumeTemplate[];
  scheme: "http" | "https";
  /** UID of the claim that holds its data. */
  claim: string | undefined;
  /** undefined where it does not answer. */
  vault: z.output<typeof Seal> | undefined;
}

/** The pod of a Standalone, and its claim, which is the first node's afterwards. */
export const [pod, claimName] = ["vault-0", "data-vault-0"];

/** Looks at it, and changes nothing. */
export async function findStandalone(
  kubeconfig: string,
  place: Place,
): Promise<{ found: Standalone; road: Road }> {
  const { kube, namespace, signal } = place;
  const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`;
  const [release, owner, set, first] = await Promise.all([
    findRelease(kube, namespace, "vault", signal),
    ownerAt(place),
    kube.get(path, StandaloneSet, signal),
    getPod(kube, namespace, pod, signal).catch(() => undefined),
  ]);
  const scheme = (first && schemeOf(first)) ?? "http";
  const road = await openRoad({ scheme, reach: { kind: "kubernetes", kubeconfig, namespace } });
  const client = new Vault(road, pod, { signal });
  const [vault, claim] = await Promise.all([
    client.ask(Seal, "GET", "sys/seal-status").catch(() => undefined),
    first && claimUid(kube, namespace, first, signal).catch(() => undefined),
  ]).finally(() => client.close());
  const templates = VolumeClaimTemplates.safeParse(set?.spec.volumeClaimTemplates ?? []);
  return { road, found: { release, owner, set, volumes: templates.data ?? [], scheme, claim, vault } };
}
