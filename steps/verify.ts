import { randomUUID } from "node:crypto";
import { z } from "zod";
import { NotYet, StepError, words } from "./lib/errors.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { restorePromotion } from "./lib/stabilization.ts";
import { giveUpCommand, kubectl, Target, upAgain } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { isHealthyVoter, whyNoVoter } from "./lib/voters.ts";
import { mayPass, until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  token: z.string().min(1),
  /** The id of the Vault that the stack knows, pinned by the unseal of its first node. */
  clusterId: z.string().optional(),
});
type Input = z.output<typeof Input>;

interface Proof {
  clusterId: string | undefined;
  leader: string;
  peers: { node: string; address: string; state: "leader" | "follower"; voter: boolean }[];
  failureTolerance: number;
}

/**
 * Proves the cluster: one Vault behind all nodes, which is the one that the stack knows, one leader in every node's eyes, every pod a healthy voter, the failure tolerance that so
 * many voters give, and a value written through the leader and read through every node.
 */
await runStep("verify", Input, async (input, step) => {
  const { pods, token } = input;
  const road = await openRoad(input);
  const vaults = new Map(pods.map((pod) => [pod, new Vault(road, pod, step, token)]));
  const next = kubectl(input, "get pods");
  const anyone = () => firstToAnswer([...vaults.values()]);
  await until("autopilot's settings", async () => restorePromotion(await anyone(), step), step, next);
  const clusterId = await until("one Vault behind all nodes", () => oneVault(vaults, input), step, next);
  const proof = { clusterId, ...(await until("a whole cluster", () => wholeCluster(vaults), step, next)) };
  await until("a write read back", () => readBack(vaults, proof.leader, step), step, upAgain(input));
  step.say(
    `${pods.length} voters, ${proof.leader} leads, ${proof.failureTolerance} may fail; a write was read back through each`,
  );
  return proof;
});

/** A node that is unsealed and has or is a leader. */
async function firstToAnswer(vaults: readonly Vault[]): Promise<Vault> {
  const seen: string[] = [];
  for (const vault of vaults) {
    const { initialized, sealed } = await vault.sealStatus().catch((error) => {
      if (!(error instanceof NotYet)) throw error;
      seen.push(error.message);
      return { initialized: false, sealed: true };
    });
    if (initialized && !sealed) return vault;
    seen.push(`${vault.node} is ${initialized ? "sealed" : "not initialised"}`);
  }
  throw new NotYet(seen.join("; "));
}

/** The cluster id that all nodes tell; refuses another one than the stack knows. */
async function oneVault(vaults: ReadonlyMap<string, Vault>, input: Input): Promise<string | undefined> {
  const asked = [...vaults.values()].map(async (vault) => {
    const { cluster_id: id, initialized } = await vault.sealStatus();
    if (id === undefined) throw new NotYet(`${vault.node} is ${initialized ? "sealed" : "not initialised"}`);
    return { node: vault.node, id };
  });
  const ids = await allOrEachReason(asked);
  const known = input.clusterId ?? ids[0]?.id;
  const others = ids.filter(({ id }) => id !== known);
  if (others.length === 0) return known;
  throw new StepError(
    `another Vault answers than the stack knows. Known cluster id: ${known}; found: ${others.map(({ node, id }) => `${id} (${node})`).join(", ")}. A forced restore of another cluster's snapshot does that, or a kubeconfig of another cluster. Restore a snapshot of ${known}, or go on with what is there and give the known one up`,
    giveUpCommand(input, [known ?? ""]),
  );
}

async function wholeCluster(vaults: ReadonlyMap<string, Vault>): Promise<Omit<Proof, "clusterId">> {
  const leader = await agreedLeader(vaults);
  const servers = await leader.raftServers();
  const state = await leader.autopilotState();
  const missing: string[] = [];
  for (const pod of vaults.keys()) {
    const server = servers.find(({ node_id }) => node_id === pod);
    if (server === undefined) missing.push(`${pod} is not in the raft configuration`);
    else if (!server.voter || !isHealthyVoter(state, pod)) missing.push(whyNoVoter(state, pod));
  }
  if (missing.length > 0) throw new NotYet(missing.join("; "));
  const strangers = servers.filter(({ node_id }) => !vaults.has(node_id)).map(({ node_id }) => node_id);
  if (strangers.length > 0) {
    throw new StepError(
      `the raft configuration has ${strangers.join(", ")}, which this stack does not run: each counts as a failed voter. If it is gone for good, take it out`,
      `vault operator raft remove-peer ${strangers[0]}`,
    );
  }
  // A majority must remain: of 2n+1 voters n may fail.
  const expected = Math.floor((vaults.size - 1) / 2);
  if (state.failure_tolerance !== expected) {
    throw new NotYet(`autopilot's failure tolerance is ${state.failure_tolerance}, expected ${expected}`);
  }
  const peers = servers.map(({ node_id, address, leader, voter }) => ({
    node: node_id,
    address,
    state: leader ? ("leader" as const) : ("follower" as const),
    voter,
  }));
  return { leader: leader.node, peers, failureTolerance: state.failure_tolerance };
}

/** The one node that says it leads, and that all others name. Pod labels may name two, or one that is gone. */
async function agreedLeader(vaults: ReadonlyMap<string, Vault>): Promise<Vault> {
  const asked = [...vaults.values()].map(async (vault) => ({ vault, view: await vault.leader() }));
  const views = await allOrEachReason(asked);
  const leaders = views.filter(({ view }) => view.is_self);
  const [leader] = leaders;
  if (leader === undefined) throw new NotYet("no node says that it leads");
  if (leaders.length > 1) {
    throw new NotYet(`${leaders.map(({ vault }) => vault.node).join(" and ")} each say that they lead`);
  }
  const apart = views.filter(
    ({ view }) => view.leader_cluster_address !== leader.view.leader_cluster_address,
  );
  if (apart.length > 0) {
    throw new NotYet(
      apart
        .map(
          ({ vault, view }) =>
            `${vault.node} follows ${view.leader_cluster_address || "nobody"}, not ${leader.vault.node}`,
        )
        .join("; "),
    );
  }
  return leader.vault;
}

/** All values; else what every one of the failed says, in their order, so that one away does not hide another. */
async function allOrEachReason<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(works);
  const reasons: unknown[] = ended
    .filter(({ status }) => status === "rejected")
    .map((end) => "reason" in end && end.reason);
  const lasting = reasons.find((reason) => !mayPass(reason));
  if (lasting !== undefined) throw lasting;
  if (reasons.length > 0) throw new NotYet(reasons.map(words).join("; "));
  return Promise.all(works);
}

/** Writes through the leader, waits until each node has applied it, and reads it through each node. */
async function readBack(vaults: ReadonlyMap<string, Vault>, leaderName: string, step: Step): Promise<void> {
  const leader = vaults.get(leaderName);
  if (leader === undefined) throw new StepError(`${leaderName} leads, but is none of this stack's pods`);
  const name = `verify-${randomUUID()}`;
  const value = randomUUID();
  await leader.write(name, value);
  try {
    const committed = (await leader.leader()).raft_committed_index ?? 0;
    await Promise.all(
      [...vaults.values()].map(async (vault) => {
        await until(`${vault.node} to have the write`, () => applied(vault, committed), step);
        const found = await vault.read(name);
        if (found !== value) throw new StepError(`${vault.node} read back another value than was written`);
      }),
    );
  } finally {
    await leader
      .delete(name)
      .catch((error) => step.say(`the test value ${name} stays behind: ${error.message}`));
  }
}

async function applied(vault: Vault, index: number): Promise<void> {
  const { raft_applied_index: at = 0 } = await vault.leader();
  if (at < index) throw new NotYet(`${vault.node} has applied raft index ${at} of ${index}`);
}
