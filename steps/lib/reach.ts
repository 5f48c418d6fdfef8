import { connect as connectTcp } from "node:net";
import { StepError } from "./errors.ts";
import { wayTo } from "./pod.ts";
import { connected, peerName, type Road, secured } from "./road.ts";
import type { Reach, Way } from "./target.ts";

/** Opens the way that the target names. Nothing is connected before it is used. */
export async function openRoad(target: Way): Promise<Road> {
  const { reach } = target;
  if (reach.kind === "direct") return directRoad(target, reach);
  // Not loaded by tests and tools that reach Vault directly.
  const { kubernetesRoad } = await import("./kubernetes-road.ts");
  return kubernetesRoad(target, reach);
}

/**
 * The way to a node as it is now: it speaks what its pod was made for, whatever the stack is to speak next.
 * @throws NotYet where there is no such pod
 */
export async function wayAsMade<W extends Way>(target: W, node: string, signal: AbortSignal): Promise<W> {
  const { reach } = target;
  if (reach.kind === "direct") return target;
  const [{ openKube }, { getPod }] = await Promise.all([import("./kube.ts"), import("./pods.ts")]);
  return wayTo(target, await getPod(await openKube(reach.kubeconfig), reach.namespace, node, signal));
}

function directRoad(
  target: Way,
  { addresses, stores = {}, cluster }: Extract<Reach, { kind: "direct" }>,
): Road {
  const addressOf = (node: string) => {
    const address = addresses[node];
    if (address !== undefined) return new URL(address);
    throw new StepError(`no address is given for ${node}; known are ${Object.keys(addresses).join(", ")}`);
  };
  return {
    host: (node) => addressOf(node).host,
    authority: async () => target.caCert,
    peerAddress: (node) => addressOf(node).origin,
    storeOf: async (node) => stores[node],
    processOf: async () => undefined,
    clusterOf: async () => cluster,
    whyNot: async () => undefined,
    connect: async (node, signal) => {
      const { hostname, port } = addressOf(node);
      return secured(
        await connected(connectTcp({ host: hostname, port: Number(port), signal })),
        peerName(node),
        target,
      );
    },
  };
}
