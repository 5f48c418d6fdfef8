import { z } from "zod";
import { StepError } from "./lib/errors.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import { joinCluster } from "./lib/join.ts";
import { readKeys, writeKeys } from "./lib/keys-file.ts";
import { previousAnswer } from "./lib/previous-answer.ts";
import { openRoad } from "./lib/reach.ts";
import type { Road } from "./lib/road.ts";
import { sealType } from "./lib/self-unseal.ts";
import { giveUpCommand, Target } from "./lib/target.ts";
import { unsealNode } from "./lib/unseal.ts";
import { Vault } from "./lib/vault.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  /** Key shares; none with a seal, or where people hold them (byHolders). */
  shares: z.array(z.string().min(1)).default([]),
  byHolders: z.boolean().default(false),
  threshold: z.number().int().min(0).default(0),
  /** What unseals the node by itself. */
  seal: sealType.optional(),
  /** For a node that joins: a node of the cluster that it joins, and a token, in case it has to join once more. */
  leader: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
});
type Input = z.output<typeof Input>;

/** What unseal answers: it pins the id of the Vault that the node belongs to, and the store it runs on. */
const Answer = z.object({ pod: z.string(), clusterId: z.string().optional(), store: z.string().optional() });
type Answer = z.output<typeof Answer>;

/**
 * Unseals a node: sends shares up to the threshold, and no more, then waits until it says that it is unsealed. Where
 * people hold the shares, waits for them; with a seal it only waits.
 */
await runStep("unseal", Input, async (input, step) => {
  const { pod } = input;
  const before = previousAnswer(Answer);
  const road = await openRoad(input);
  const vault = new Vault(road, pod, step);
  const member = input.leader && new Vault(road, input.leader, step, input.token);
  const join = member ? () => joinCluster(vault, member, road, input, step) : undefined;
  const emptyStore = member && road.emptyStore ? () => emptyHalfJoined(pod, member, road, step) : undefined;
  const processOf = () => road.processOf(pod, step.signal);
  const lastWords = (node: string) => road.lastWords?.(node, step.signal) ?? Promise.resolve(undefined);
  const unsealed = await unsealNode(vault, { ...input, join, emptyStore, processOf, lastWords }, step);
  const store = await until(`the store of ${pod}`, () => road.storeOf(pod, step.signal), step);
  const answer: Answer = { pod, clusterId: unsealed.cluster_id, store };
  if (before !== undefined) refuseAnother(before, answer, input);
  await recordCustody(answer, input);
  return answer;
});

/** Empties the store of a node that the cluster does not count on: a voter's store may be what a majority needs. */
async function emptyHalfJoined(pod: string, member: Vault, road: Road, step: Step): Promise<void> {
  const self = (await member.raftServers()).find(({ node_id }) => node_id === pod);
  if (self?.voter)
    throw new StepError(
      `${pod} cannot join in its store, which has Raft's state and no data, and it has a vote in the raft configuration (${self.address}). Its store is not emptied while it has. Take it out first, while the others are healthy`,
      `vault operator raft remove-peer ${pod}`,
    );
  await road.emptyStore?.(pod, step.signal);
}

/** The same store with another Vault in it: somebody has put something else in its place. */
function refuseAnother(before: Answer, now: Answer, input: Input): void {
  const { pod, clusterId: known, store } = before;
  const found = now.clusterId;
  if (known === undefined || found === undefined || known === found) return;
  // Another store was judged by the identity step, and that all nodes are of one Vault is judged by verify.
  if (store !== now.store || input.giveUp.includes(known)) return;
  throw new StepError(
    `${pod} belongs to another Vault than the stack knows. Known cluster id: ${known}; found: ${found}, on the same store (${store ?? "not named"}). A forced restore of another cluster's snapshot does that. Restore a snapshot of ${known}, or go on with what is there and give the known one up`,
    giveUpCommand(input, [known]),
  );
}

/**
 * Notes in the journal that the shares which went through Pulumi's state open the store that they were made for; with a
 * seal, that it has unsealed that store. A node that has joined its Vault anew, on another store than the lost one, is
 * on the one that the keys are for from now on.
 */
async function recordCustody({ pod, clusterId, store }: Answer, { stackDir, seal }: Input): Promise<void> {
  const keys = await readKeys(stackDir);
  if (keys === undefined || keys.pod !== pod || store === undefined || clusterId === undefined) return;
  if (keys.pvcUid !== store && keys.custody?.clusterId === clusterId)
    return await writeKeys(stackDir, { ...keys, pvcUid: store });
  if (keys.answer === undefined || keys.pvcUid !== store) return;
  // A Vault that was brought to another seal by hand has the same shares, for another use.
  if (keys.custody?.clusterId === clusterId && keys.seal === seal) return;
  await writeKeys(stackDir, { ...keys, seal, custody: { clusterId, provedAt: new Date().toISOString() } });
}
