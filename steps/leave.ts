import { z } from "zod";
import { shamir } from "../components/vault-seal.ts";
import { NotYet } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openKube } from "./lib/kube.ts";
import { type LeavingNodes, leave, refuseWithoutToken } from "./lib/leave.ts";
import { getPod, vaultClaims } from "./lib/pods.ts";
import { openRoad } from "./lib/reach.ts";
import { podNames } from "./lib/road.ts";
import { rollingPods } from "./lib/rolling-pods.ts";
import { refuseOtherSeal } from "./lib/seal-guard.ts";
import { sealType } from "./lib/self-unseal.ts";
import { stackToken } from "./lib/stack-token.ts";
import { kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";

const Input = Target.extend(Timeout.shape).extend({
  /** The pods that the stack is to have from now on. */
  pods: z.array(z.string().min(1)).min(1),
  /** The seal that the nodes are to have; without it, key shares unseal them. */
  seal: z.object({ type: sealType, key: z.string().min(1) }).optional(),
});
type Input = z.output<typeof Input>;

/** The most nodes that a stack can have (vault.replicas). */
const most = 7;

/**
 * Has the nodes leave that the stack does not go on with, before their pods are taken away; and refuses another seal
 * than an initialised Vault has, before its configuration is another one.
 */
await runStep("leave", Input, async (input, step) => {
  await refuseOtherSeal(input, podNames(most), input.seal ?? shamir, step.signal);
  const leaving = await there(input, step.signal);
  if (leaving.length === 0) {
    step.say("no node has to leave");
    return { left: [] };
  }
  const token = await stackToken(input);
  if (token === undefined) throw refuseWithoutToken(leaving, input.stack);
  step.hide(token);
  const nodes: LeavingNodes = { staying: input.pods, leaving, ...(await ways(input, token, step.signal)) };
  const left = await leave(nodes, kubectl(input, "get pods"), step);
  step.say(
    `${left.length === 0 ? "all had left before" : `${left.join(", ")} left`}; ${input.pods.length} stay`,
  );
  return { left };
});

/** The nodes that run and are not wanted any more, in the order of their names. */
async function there({ reach, pods }: Input, signal: AbortSignal): Promise<string[]> {
  const others = podNames(most).filter((name) => !pods.includes(name));
  if (reach.kind === "direct") return others.filter((name) => reach.addresses[name] !== undefined);
  const kube = await openKube(reach.kubeconfig);
  const looks = others.map(async (name) => {
    const pod = await getPod(kube, reach.namespace, name, signal).catch((error) => {
      if (error instanceof NotYet && error.constructor === NotYet) return undefined;
      throw error;
    });
    return pod === undefined ? [] : [name];
  });
  return (await Promise.all(looks)).flat();
}

async function ways(
  input: Input,
  token: string,
  signal: AbortSignal,
): Promise<Pick<LeavingNodes, "vault" | "giveUpVolume">> {
  const { reach } = input;
  if (reach.kind === "direct") {
    const road = await openRoad(input);
    return { vault: async (node) => new Vault(road, node, { signal }, token), giveUpVolume: async () => {} };
  }
  // The same update may turn TLS on: each pod is asked as it was made.
  const { vault } = await rollingPods(input, input.pods, token, signal);
  const kube = await openKube(reach.kubeconfig);
  return {
    vault,
    giveUpVolume: async (node) => {
      const claims = await vaultClaims(kube, reach.namespace, signal);
      const path = `/api/v1/namespaces/${reach.namespace}/persistentvolumeclaims`;
      // Kubernetes keeps it until its pod is gone.
      for (const { name } of claims)
        if (name.endsWith(`-${node}`)) await kube.delete(`${path}/${name}`, signal);
    },
  };
}
