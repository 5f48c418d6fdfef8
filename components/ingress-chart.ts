/** Which chart serves the Ingresses of a stack, and with which values. */
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import type { ChartSource, Sources } from "../sources.ts";
import { ingressValues } from "./ingress-values.ts";
import type { Values } from "./values-file.ts";

export interface IngressChart {
  source: ChartSource;
  values: Values;
}

/**
 * The chart of a stack's controller. To be called before anything is declared: throws one error that lists every
 * problem of the stack's own values file.
 */
export function loadIngressChart(
  { ingress, cluster }: Pick<Settings, "ingress" | "cluster">,
  { ingressNginx, traefik, images }: Sources,
): IngressChart {
  if (ingress.controller === "traefik")
    return { source: { chart: "./charts/traefik" }, values: { image: traefik.image } };
  const { values, problems } = ingressValues({
    source: ingressNginx,
    images,
    sparePort: cluster.ports.spare,
    ownFile: ingress.valuesFile,
  });
  if (problems.length === 0) return { source: ingressNginx, values };
  throw new pulumi.RunError(
    `The ingress's Helm values cannot be used; nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}
