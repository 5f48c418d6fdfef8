/** A guided unseal: share after share, until every node is open, or nobody has another one. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Waiting } from "../../steps/lib/wait.ts";
import type { Given, Giving, NodeSeen } from "./give.ts";
import type { Raising } from "./raise.ts";
import { givenLine, nodeLine, wanted } from "./text.ts";

/** How often a share that stays is looked at whether a node wants it, in milliseconds. */
const lookMs = 2_000;

/** What an unseal works with. */
export interface Unseal extends Pick<Waiting, "say" | "signal"> {
  stack: string;
  giving: Giving;
  /** The next share; undefined where there is none. */
  next(nodes: readonly NodeSeen[]): Promise<string | undefined>;
  /** Whether somebody can be asked once more after a share that was wrong. */
  asks: boolean;
  /** Has blank nodes join. Without it, an update does. */
  raising?: Raising | undefined;
  /** The stack's token, by which nodes join; undefined where there is none. */
  token?: (() => Promise<string | undefined>) | undefined;
  /** How long the shares stay in memory and go to each node that is sealed meanwhile, in seconds. */
  staySeconds: number;
}

/** What it came to. */
export interface Unsealed {
  nodes: NodeSeen[];
  /** How many more shares are wanted. */
  wanted: number;
  /** Whether every share was good for what it was given for. */
  good: boolean;
}

/** Whatever it comes to, no share is in memory afterwards. */
export async function unseal(work: Unseal): Promise<Unsealed> {
  const { giving, say, stack } = work;
  try {
    let good = await giveAll(work);
    if (good && work.staySeconds > 0) await takeRest(work);
    const end = Date.now() + work.staySeconds * 1000;
    if (good && Date.now() < end && giving.held > 0)
      say(
        `${giving.held === 1 ? "The share stays" : `${giving.held} shares stay`} in memory for ${Math.round(work.staySeconds / 60)} min, and ${giving.held === 1 ? "goes" : "go"} to each node that is sealed meanwhile. Ctrl-C ends that.`,
      );
    while (good && Date.now() < end && giving.held > 0) {
      await pause(work);
      good = tell(await giving.round(), { say, stack });
    }
    const nodes = await giving.look();
    return { nodes, wanted: wanted(nodes), good };
  } finally {
    giving.wipe();
  }
}

/** What nobody wants now stays for later: all that is piped, or one share of somebody at a terminal. */
async function takeRest({ giving, next, asks }: Unseal): Promise<void> {
  const nodes = await giving.look();
  while (!asks || giving.held === 0) {
    const share = await next(nodes);
    if (share === undefined) return;
    giving.take(share);
  }
}

async function giveAll(work: Unseal): Promise<boolean> {
  const { giving, say, asks } = work;
  let allGood = true;
  let told = "";
  for (;;) {
    work.signal.throwIfAborted();
    const came = await giving.round();
    const good = tell(came, work);
    allGood &&= good;
    if (!good && !asks) return false;
    if (came.length > 0) continue;
    const nodes = await giving.look();
    if (nodes.some(({ state }) => state === "sealed")) {
      const lines = nodes.map(nodeLine).join("\n");
      if (lines !== told) say(lines);
      told = lines;
      const share = await work.next(nodes);
      if (share === undefined) return allGood;
      if (!giving.take(share)) say("This share was given already: another one is wanted.");
    } else if (!(await joinNext(nodes, work))) return allGood;
  }
}

/** Has the next blank node join, or waits for who does. @returns false where nothing is left to be done here */
async function joinNext(
  nodes: readonly NodeSeen[],
  { raising, token, say, signal, giving, next }: Unseal,
): Promise<boolean> {
  const blank = nodes.filter(({ state }) => state === "blank").map(({ node }) => node);
  const [pod] = raising?.toJoin(blank) ?? [];
  if (raising === undefined || pod === undefined) return false;
  // It is sealed as soon as it has joined.
  const share = giving.held === 0 ? await next(nodes) : undefined;
  if (share !== undefined) giving.take(share);
  if (giving.held === 0) return false;
  const other = await raising.other();
  if (other !== undefined) {
    say(`${pod} has not joined yet, and ${other}: waiting for it. Ctrl-C ends that.`);
    while ((await raising.other()) !== undefined) {
      await pause({ signal });
      if ((await giving.look()).some(({ state }) => state === "sealed")) break;
    }
    return true;
  }
  const good = await token?.();
  if (good === undefined) {
    say(`${pod} joins with the stack's token, which there is not yet: npm run up goes on from here`);
    return false;
  }
  await raising.join(pod, good);
  return true;
}

function tell(came: readonly Given[], { say, stack }: Pick<Unseal, "say" | "stack">): boolean {
  for (const given of came) say(givenLine(given, stack));
  return came.every(
    (given) => given.came === "counted" || given.came === "known" || given.came === "unsealed",
  );
}

async function pause({ signal }: Pick<Waiting, "signal">): Promise<void> {
  await sleep(lookMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}
