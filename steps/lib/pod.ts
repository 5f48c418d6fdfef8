import { z } from "zod";
import type { Way } from "./target.ts";
import { tlsVolume } from "./tls-secret.ts";

const ContainerState = z.object({
  waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  running: z.object({ startedAt: z.string().optional() }).optional(),
  terminated: z
    .object({ reason: z.string().optional(), exitCode: z.number(), finishedAt: z.string().optional() })
    .optional(),
});

/** What is used of a Pod. */
export const Pod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({
    /** The Kubernetes node that it was given to. */
    nodeName: z.string().optional(),
    containers: z
      .array(
        z.object({
          name: z.string(),
          image: z.string().optional(),
          env: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
        }),
      )
      .optional(),
    volumes: z
      .array(
        z.object({
          name: z.string().optional(),
          persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
          secret: z.object({ secretName: z.string().optional() }).optional(),
        }),
      )
      .optional(),
  }),
  status: z.object({
    phase: z.string().optional(),
    conditions: z
      .array(
        z.object({
          type: z.string(),
          status: z.string(),
          reason: z.string().optional(),
          message: z.string().optional(),
          lastTransitionTime: z.string().nullish(),
        }),
      )
      .optional(),
    containerStatuses: z
      .array(
        z.object({
          name: z.string(),
          containerID: z.string().optional(),
          restartCount: z.number(),
          state: ContainerState.optional(),
          lastState: ContainerState.optional(),
        }),
      )
      .optional(),
  }),
});
export type Pod = z.output<typeof Pod>;

/** What Vault speaks in a pod, as the chart tells the `vault` command there; undefined where it tells nothing. */
export function schemeOf(pod: Pod): "http" | "https" | undefined {
  const vault = pod.spec.containers?.find(({ name }) => name === "vault");
  const address = vault?.env?.find(({ name }) => name === "VAULT_ADDR")?.value;
  if (address === undefined) return undefined;
  return address.startsWith("https:") ? "https" : "http";
}

/** Whether a pod's Vault leads, as Vault labels it. That may be out of date: Vault itself is asked where it counts. */
export function seemsToLead({ metadata }: Pod): boolean {
  return metadata.labels?.["vault-active"] === "true";
}

/** The Secret whose certificate a pod was given; undefined where it has none. */
export function tlsSecretIn(pod: Pod): string | undefined {
  return pod.spec.volumes?.find(({ name }) => name === tlsVolume)?.secret?.secretName;
}

/** The way to a pod as it is now: one made before a change speaks, and shows the certificate of, what it had then. */
export function wayTo<W extends Way>(target: W, pod: Pod): W {
  const { reach } = target;
  const tlsSecret = tlsSecretIn(pod);
  return {
    ...target,
    scheme: schemeOf(pod) ?? target.scheme,
    reach: reach.kind === "kubernetes" && tlsSecret !== undefined ? { ...reach, tlsSecret } : reach,
  };
}
