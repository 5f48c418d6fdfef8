import { z } from "zod";
import type { Kube } from "../../../steps/lib/kube.ts";

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().nullish(),
});
const Node = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    unschedulable: z.boolean().optional(),
    taints: z.array(z.object({ key: z.string(), effect: z.string() })).optional(),
  }),
  status: z.object({ conditions: z.array(Condition).optional() }),
});
export type KubeNode = z.output<typeof Node>;

const Event = z.object({
  involvedObject: z.object({ kind: z.string().optional(), name: z.string().optional() }),
  type: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
});
export type KubeEvent = z.output<typeof Event>;

const Service = z.object({
  spec: z.object({
    publishNotReadyAddresses: z.boolean().optional(),
    selector: z.record(z.string(), z.string()).optional(),
    ports: z.array(z.object({ port: z.number() })).optional(),
  }),
});
const Slice = z.object({
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        targetRef: z.object({ name: z.string().optional() }).optional(),
      }),
    )
    .nullish(),
});
const StatefulSet = z.object({
  metadata: z.object({ creationTimestamp: z.string() }),
  spec: z.object({ replicas: z.number().optional() }),
});

/** What Kubernetes knows of the surroundings of Vault's pods. */
export interface ClusterEvidence {
  nodes: KubeNode[];
  /** The events of the namespace, oldest first. */
  events: KubeEvent[];
  /** vault-internal, under whose name the nodes reach each other; undefined where it does not exist. */
  internal: z.output<typeof Service> | undefined;
  /** The pods that vault-internal's name gives addresses of. */
  endpoints: string[];
  /** undefined where it does not exist. */
  statefulSet: z.output<typeof StatefulSet> | undefined;
}

/** The headless service that the chart gives to a release of the name vault. */
export const internalService = "vault-internal";

/** Asks for all of it at once. Throws where the API does not answer. */
export async function clusterEvidence(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
): Promise<ClusterEvidence> {
  const list = async <S extends z.ZodType>(path: string, item: S) =>
    (await kube.get(path, z.object({ items: z.array(item) }), signal))?.items ?? [];
  const inside = (api: string) => `/${api}/namespaces/${namespace}`;
  const slices = `endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${internalService}`;
  const [nodes, events, internal, endpoints, statefulSet] = await Promise.all([
    list("/api/v1/nodes", Node),
    list(`${inside("api/v1")}/events`, Event),
    kube.get(`${inside("api/v1")}/services/${internalService}`, Service, signal),
    list(`${inside("apis/discovery.k8s.io/v1")}/${slices}`, Slice),
    kube.get(`${inside("apis/apps/v1")}/statefulsets/vault`, StatefulSet, signal),
  ]);
  return {
    nodes,
    events: events.sort((one, other) => timeOf(one).localeCompare(timeOf(other))),
    internal,
    endpoints: endpoints.flatMap(({ endpoints }) =>
      (endpoints ?? []).flatMap(({ targetRef }) => targetRef?.name ?? []),
    ),
    statefulSet,
  };
}

/** When an event last happened. */
export function timeOf({ lastTimestamp, eventTime, firstTimestamp }: KubeEvent): string {
  return lastTimestamp ?? eventTime ?? firstTimestamp ?? "";
}
