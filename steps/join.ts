import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { joinCluster } from "./lib/join.ts";
import { openRoad } from "./lib/reach.ts";
import { kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  /** A node of the cluster to join; whoever leads it is asked of this one. */
  leader: z.string().min(1),
  token: z.string().min(1),
});

/** Has a node join the cluster, unless it did before. It has joined for good when `voter` says so. */
await runStep("join", Input, async (input, step) => {
  const { pod, token } = input;
  const road = await openRoad(input);
  const joining = new Vault(road, pod, step);
  const member = new Vault(road, input.leader, step, token);
  const status = await until(
    `${pod} to answer`,
    () => joining.sealStatus(),
    step,
    kubectl(input, "get pods"),
  );
  if (status.initialized) {
    step.say("is initialised, so it has joined before");
    return { pod, leader: input.leader };
  }
  const leader = await joinCluster(joining, member, road, input, step);
  return { pod, leader };
});
