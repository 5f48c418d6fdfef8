import { openKube } from "../../steps/lib/kube.ts";
import { wayTo } from "../../steps/lib/pod.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { Road } from "../../steps/lib/road.ts";
import type { Reach } from "../../steps/lib/target.ts";

/** A way to pods of which some may speak HTTP and others HTTPS, as clients have it while a stack changes. */
export async function asEachSpeaks(reach: Extract<Reach, { kind: "kubernetes" }>): Promise<Road> {
  const kube = await openKube(reach.kubeconfig);
  return {
    ...(await openRoad({ scheme: "http", reach })),
    connect: async (node, signal) => {
      const pod = await getPod(kube, reach.namespace, node, signal);
      return (await openRoad(wayTo({ scheme: "http", reach }, pod))).connect(node, signal);
    },
  };
}
