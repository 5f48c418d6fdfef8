import { z } from "zod";
import { NotYet } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import type { AutopilotState } from "./lib/vault-answers.ts";
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
  if (!server.voter || !isHealthyVoter(state, node)) throw new NotYet(reason(state, node));
}

function isHealthyVoter({ servers }: AutopilotState["data"], node: string): boolean {
  const server = servers[node];
  return server?.healthy === true && (server.status === "voter" || server.status === "leader");
}

/** Why autopilot does not count on a node, in the terms of its own state. */
function reason({ servers, leader }: AutopilotState["data"], node: string): string {
  const server = servers[node];
  if (server === undefined) return `autopilot does not know ${node} yet`;
  const { status, healthy, node_status, last_contact, last_index, last_term, stable_since } = server;
  const ahead = servers[leader];
  const parts = [
    `status ${status}`,
    healthy ? `healthy${stable_since ? ` since ${stable_since}` : ""}` : "not healthy",
    `node ${node_status}`,
    `last contact ${last_contact} ago`,
    `raft index ${last_index} of ${ahead?.last_index ?? "unknown"}`,
    `term ${last_term} of ${ahead?.last_term ?? "unknown"}`,
  ];
  return `autopilot says of ${node}: ${parts.join(", ")}`;
}
