import { seconds } from "../../../steps/lib/stabilization.ts";
import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Vault's own server_stabilization_time, in seconds: https://developer.hashicorp.com/vault/docs/concepts/integrated-storage/autopilot */
const usualSeconds = 10;

/** Whether the raft configuration has the stack's nodes and no others, each a healthy voter. */
export const raft: Check = {
  looks:
    "Raft: no server that the stack does not run, each node a voter that autopilot calls healthy, stabilization time as usual",
  *find({ subject, raft, vault, stabilization }) {
    const { kubectl, up, vault: vaultIn } = commandsOf(subject);
    const serves = Object.values(vault).some(({ value }) => value?.leads);
    if (!raft.value) {
      // Without a leader Raft has nothing to say, and that has a check of its own; so has a token that is refused.
      if (serves && !/with 403/.test(raft.failed)) yield { notLooked: `Raft: ${raft.failed}` };
      return;
    }
    const { servers, asked } = raft.value;
    const configuration = `GET /v1/sys/storage/raft/configuration of ${asked}`;
    const autopilot = `GET /v1/sys/storage/raft/autopilot/state of ${asked}`;
    for (const { node, address, voter } of servers.filter(({ node }) => !subject.pods.includes(node)))
      yield {
        id: "stranger",
        nodes: [],
        wrong: `Raft has a server that this stack does not run: ${node}`,
        evidence: [
          { asked: configuration, answered: `${node} at ${address}, ${voter ? "a voter" : "no vote"}` },
          { asked: "pods that the stack runs", answered: subject.pods.join(", ") },
        ],
        means: voter
          ? "It counts as a voter that failed: so many fewer of the others may fail. If it is gone for good, take it out, while the others are healthy."
          : "It has no vote and does no harm, but it may be a node of somebody else's.",
        next: [vaultIn(asked, `operator raft remove-peer ${node}`)],
      };
    for (const { node, voter, healthy, lastIndex, stableSince, leader } of servers) {
      if (!subject.pods.includes(node)) continue;
      const ahead = servers.find((server) => server.leader)?.lastIndex;
      const says = `${voter ? "voter" : "no vote"}, ${healthy === undefined ? "health not known" : healthy ? "healthy" : "not healthy"}, index ${lastIndex ?? "unknown"} of ${ahead ?? "unknown"}`;
      const evidence = [{ asked: `${autopilot}: ${node}`, answered: says }];
      const since = stableSince ? { since: stableSince } : {};
      if (!voter && !leader)
        yield {
          id: "non-voter",
          nodes: [node],
          ...since,
          wrong: `${node} has joined, and has no vote`,
          evidence,
          means: `Autopilot gives it one when it was healthy for server_stabilization_time (${stabilization.value ?? "not known"}). Until then it does not count for the quorum.`,
          next: [kubectl(`logs ${node} --tail 50`), up],
        };
      else if (healthy === false)
        yield {
          // Not since when: autopilot's stable_since may be from before the failure.
          id: "raft-unhealthy",
          nodes: [node],
          wrong: `autopilot calls ${node} not healthy`,
          evidence,
          means:
            "The leader has not heard from it for longer than last_contact_threshold, or it is far behind. It counts as failed.",
          next: [kubectl(`logs ${node} --tail 50`)],
        };
    }
    const missing = subject.pods.filter(
      (pod) => vault[pod]?.value?.initialised && !servers.some(({ node }) => node === pod),
    );
    for (const node of missing)
      yield {
        id: "not-in-raft",
        nodes: [node],
        wrong: `${node} has data, and Raft does not know it`,
        evidence: [{ asked: configuration, answered: servers.map(({ node }) => node).join(", ") }],
        means: "It was removed from the cluster, or it is the node of another Vault.",
        next: [kubectl(`logs ${node} --tail 50`)],
      };
    if (stabilization.failed !== undefined)
      yield { notLooked: `autopilot's settings: ${stabilization.failed}` };
    else if (seconds(stabilization.value) < usualSeconds)
      yield {
        id: "stabilization-low",
        nodes: [],
        wrong: `autopilot gives new servers their vote after ${stabilization.value}, a run that was cut off left it so`,
        evidence: [
          {
            asked: `GET /v1/sys/storage/raft/autopilot/configuration of ${asked}: server_stabilization_time`,
            answered: `${stabilization.value}, Vault's own is ${usualSeconds}s`,
          },
        ],
        means:
          "While the cluster is formed that is on purpose, and the step verify puts it back. Left so, a server that is not stable may get a vote.",
        next: [
          vaultIn(asked, `operator raft autopilot set-config -server-stabilization-time=${usualSeconds}s`),
        ],
      };
  },
};
