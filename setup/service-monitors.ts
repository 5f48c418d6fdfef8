import { z } from "zod";
import type { Kube } from "../steps/lib/kube.ts";

/** The group under which Prometheus' operator adds its kinds to a cluster. */
export const monitoringGroup = "monitoring.coreos.com";

const Kinds = z.object({ resources: z.array(z.object({ kind: z.string() })) });

/** Whether the cluster knows ServiceMonitors. Every login may ask. Throws Unreachable where no answer came. */
export async function knowsServiceMonitors(kube: Kube, signal: AbortSignal): Promise<boolean> {
  const kinds = await kube.get(`/apis/${monitoringGroup}/v1`, Kinds, signal);
  return kinds?.resources.some(({ kind }) => kind === "ServiceMonitor") ?? false;
}
