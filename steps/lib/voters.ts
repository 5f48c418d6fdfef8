import type { AutopilotState } from "./vault-answers.ts";

/** Whether autopilot counts on a node: healthy, with a vote. */
export function isHealthyVoter({ servers }: AutopilotState["data"], node: string): boolean {
  const server = servers[node];
  return server?.healthy === true && (server.status === "voter" || server.status === "leader");
}

/** Why autopilot does not count on a node, in the terms of its own state. */
export function whyNoVoter({ servers, leader }: AutopilotState["data"], node: string): string {
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
