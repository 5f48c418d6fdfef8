import { z } from "zod";

/** What a StatefulSet makes each of a pod's volumes from (volumeClaimTemplates); Kubernetes does not let it be changed. */
export interface VolumeTemplate {
  /** data or audit. */
  name: string;
  size: string;
  /** Absent: the cluster's default one. */
  storageClass?: string;
}

/** The volumeClaimTemplates of a StatefulSet as Kubernetes has them; none where it has none. */
export const VolumeClaimTemplates = z
  .array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        storageClassName: z.string().optional(),
        resources: z.object({ requests: z.object({ storage: z.string() }) }),
      }),
    }),
  )
  .default([])
  .transform((templates) => templates.map(templateOf));

function templateOf({
  metadata,
  spec,
}: {
  metadata: { name: string };
  spec: { storageClassName?: string | undefined; resources: { requests: { storage: string } } };
}): VolumeTemplate {
  return {
    name: metadata.name,
    size: spec.resources.requests.storage,
    ...(spec.storageClassName && { storageClass: spec.storageClassName }),
  };
}
