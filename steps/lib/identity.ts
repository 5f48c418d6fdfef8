import { z } from "zod";
import type { Road } from "./road.ts";

/**
 * What a Vault is known by beside its own cluster id: the Kubernetes cluster (UID of its namespace kube-system) and
 * each node's store (UID of its pod's PVC). What cannot be known is left out.
 */
export const Identity = z.object({
  kubernetes: z.string().optional(),
  stores: z.record(z.string(), z.string()),
});
export type Identity = z.output<typeof Identity>;

/**
 * Asks for a Vault's identity.
 * @throws NotYet where a pod or its claim does not exist, Unreachable where nobody answers
 */
export async function identityOf(
  road: Pick<Road, "clusterOf" | "storeOf">,
  pods: readonly string[],
  signal: AbortSignal,
): Promise<Identity> {
  const stores = pods.map(async (pod) => [pod, await road.storeOf(pod, signal)] as const);
  const [kubernetes, ...rest] = await Promise.all([road.clusterOf(signal), ...stores]);
  return asIdentity(kubernetes, rest);
}

/** An identity of what is known. */
export function asIdentity(
  kubernetes: string | undefined,
  stores: readonly (readonly [pod: string, uid: string | undefined])[],
): Identity {
  return {
    ...(kubernetes !== undefined && { kubernetes }),
    stores: Object.fromEntries(stores.flatMap(([pod, uid]) => (uid === undefined ? [] : [[pod, uid]]))),
  };
}

/** How an identity that is found differs from the known one. What either does not know is no difference. */
export interface Difference {
  /** The pod, or "kubernetes" for the cluster. */
  what: string;
  known: string;
  found: string;
  /** The pod to which the found store belonged. */
  formerly: string | undefined;
}

/** All differences; none where the found one is, or may be, the known one. */
export function differences(known: Identity, found: Identity): Difference[] {
  const stores = Object.entries(known.stores).map(([pod, uid]) => [pod, uid, found.stores[pod]] as const);
  return [["kubernetes", known.kubernetes, found.kubernetes] as const, ...stores].flatMap(
    ([what, known_, found_]) => {
      if (known_ === undefined || found_ === undefined || known_ === found_) return [];
      const formerly = Object.entries(known.stores).find(([, uid]) => uid === found_)?.[0];
      return [{ what, known: known_, found: found_, formerly }];
    },
  );
}
