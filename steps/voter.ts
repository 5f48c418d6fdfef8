import { z } from "zod";
import { NotYet } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { isHealthyVoter, whyNoVoter } from "./lib/voters.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({ pod: z.string().min(1), token: z.string().min(1) });

/** Waits until a node stands in the raft configuration with a vote AND autopilot calls it healthy. */
await runStep("voter", Input, async (input, step) => {
  const { pod, token } = input;
  const vault = new Vault(await openRoad(input), pod, step, token);
  await until(
    `${pod} to be a healthy voter`,
    () => healthyVoter(vault),
    step,
    kubectl(input, `logs ${pod} --tail 50`),
  );
  step.say("is a healthy voter");
  return { pod, voter: true };
});

async function healthyVoter(vault: Vault): Promise<void> {
  const { node } = vault;
  const servers = await vault.raftServers();
  const server = servers.find(({ node_id }) => node_id === node);
  if (server === undefined) {
    const found = servers.map(({ node_id }) => node_id).join(", ");
    throw new NotYet(`${node} is not in the raft configuration, which has ${found || "nobody"}`);
  }
  const state = await vault.autopilotState();
  if (!server.voter || !isHealthyVoter(state, node)) throw new NotYet(whyNoVoter(state, node));
}
