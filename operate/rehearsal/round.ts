/** One round of a failover rehearsal: the leader is ended while a ledger is kept, and brought back. */
import { NotYet, words } from "../../steps/lib/errors.ts";
import { until, within } from "../../steps/lib/wait.ts";
import { healthOf } from "./health.ts";
import { type Gap, type Loss, longestGap, type Write } from "./ledger.ts";
import { readBack } from "./read-back.ts";
import { bringBack, kill, type Rehearsing } from "./rehearsing.ts";
import { settled } from "./settled.ts";
import { type NodeState, type Span, Watch } from "./watch.ts";
import { Writer } from "./writer.ts";

/** What a round found. Times: ms, performance.now(). */
export interface Round {
  number: number;
  /** When it began, as text of ISO 8601. */
  began: string;
  leaderBefore: string;
  /** Who led when all was whole again, or at least took over; undefined where nobody did. */
  leaderAfter: string | undefined;
  killedAt: number;
  /** When the command that ended the leader had returned. */
  killReturnedAt: number;
  /** Everything written, in order. */
  writes: Write[];
  /** Each node's own words over time. */
  spans: Record<string, Span[]>;
  gap: Gap | undefined;
  lost: Loss[];
  /** From the kill until all nodes were unsealed voters again; undefined where they did not become so. */
  wholeAgainMs: number | undefined;
  /** What did not come about within its limit. */
  problems: string[];
}

/** How long each wait may take, in seconds. */
const limits = { settle: 180, writes: 60, successor: 120, whole: 300, read: 600 };

/** Acknowledged writes before the kill, and after all is whole again: about two seconds and one. */
const writesBefore = 40;
const writesAfter = 20;

/**
 * Runs one round. What does not come about is a problem in its answer.
 * @throws the signal's reason where it is interrupted, and any error from before the kill
 */
export async function runRound(number: number, rehearsing: Rehearsing): Promise<Round> {
  const { vault, vaults, killer, mount, say, signal } = rehearsing;
  const { road, pods, keys } = vault;
  const began = new Date().toISOString();
  const problems: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      problems.push(words(error));
      return undefined;
    }
  };
  const wait = <T>(what: string, limit: keyof typeof limits, look: () => Promise<T>) =>
    until(what, look, within(rehearsing, limits[limit]));

  const leaderBefore = await wait("the nodes to run with Raft's usual timers", "settle", async () => {
    const { leader } = await healthOf(vaults);
    const found = vaults.find(({ node }) => node === leader);
    if (found === undefined) throw new NotYet("no node leads");
    await settled(found, rehearsing.settleSeconds, rehearsing.unsealedAt);
    return found.node;
  });
  const aimed = await killer.aim(leaderBefore);
  const watch = new Watch(road, pods, signal);
  const options = { road, nodes: pods, token: keys.rootToken, mount, prefix: `${number}-`, signal };
  const writer = new Writer(options);
  const acknowledged = async (wanted: number, since: number) => {
    const found = writer.acknowledged.filter(({ sentAt }) => sentAt >= since).length;
    if (found < wanted) throw new NotYet(`${found} of ${wanted} writes`);
  };
  try {
    await wait("writes to be acknowledged", "writes", () => acknowledged(writesBefore, 0));
    say(`round ${number}: ${leaderBefore} leads; ${killer.says}`);
    const killedAt = performance.now();
    rehearsing.down = { node: leaderBefore, aimed };
    await kill(rehearsing);
    const killReturnedAt = performance.now();

    const successor = async () => {
      const next = pods.find((pod) => pod !== leaderBefore && watch.last(pod)?.state === "leads");
      if (next === undefined) throw new NotYet(stateWords(pods, watch));
      await acknowledged(1, Math.max(killedAt, watch.last(next)?.from ?? 0));
      return next;
    };
    const leads = `another node than ${leaderBefore} to lead and to take a write`;
    const next = await attempt(() => wait(leads, "successor", successor));
    if (next !== undefined)
      say(`round ${number}: ${next} leads and takes writes; ${leaderBefore} is brought back`);
    await attempt(() => bringBack(rehearsing));
    const whole = await attempt(() =>
      wait("all nodes to be unsealed voters again", "whole", async () => {
        const { leader, problems } = await healthOf(vaults);
        if (problems.length > 0) throw new NotYet(problems.map(({ found }) => found).join("; "));
        return { leader, ms: performance.now() - killedAt };
      }),
    );
    const wholeAt = performance.now();
    await attempt(() => wait("writes to go on", "writes", () => acknowledged(writesAfter, wholeAt)));
    await Promise.all([writer.stop(), watch.stop()]);

    say(`round ${number}: reading ${writer.acknowledged.length} acknowledged writes back through each node`);
    const found = await Promise.all(
      pods.map((node) =>
        attempt(() => readBack(writer.acknowledged, { ...options, node }, within(rehearsing, limits.read))),
      ),
    );
    return {
      number,
      began,
      leaderBefore,
      leaderAfter: whole?.leader ?? next,
      killedAt,
      killReturnedAt,
      writes: writer.writes,
      spans: watch.spans,
      gap: longestGap(writer.writes, killedAt),
      lost: found.flatMap((losses) => losses ?? []),
      wholeAgainMs: whole?.ms,
      problems,
    };
  } finally {
    await Promise.allSettled([writer.stop(), watch.stop()]);
  }
}

const stateNames: Record<NodeState, string> = {
  leads: "leads",
  follows: "follows",
  leaderless: "has no leader",
  sealed: "is sealed",
  silent: "does not answer",
};

function stateWords(pods: readonly string[], watch: Watch): string {
  return pods.map((pod) => `${pod} ${stateNames[watch.last(pod)?.state ?? "silent"]}`).join(", ");
}
