/** What is left of a Vault whose quorum may be lost: found out, and judged, before anything is changed. Plain data. */
import { survivors, type Voter, voters } from "../doctor/recovery.ts";
import type { Subject } from "../views/subject.ts";
import type { Views } from "../views/views.ts";
import type { Begun } from "./begun.ts";

/** A voter that answers and has its store. */
export interface Survivor extends Voter {
  sealed: boolean;
  /** How far it has applied the raft log; a sealed node does not tell. */
  index?: number;
}

/** A voter that does not vote any more, and what is known of its store. */
export interface Lost extends Voter {
  /** gone: blank, another one, or without a claim. unknown: it may come back with its data. */
  store: "gone" | "unknown";
  why: string;
}

/** What is left. */
export interface Found {
  /** Who voted, as the last `npm run up` saw them. */
  voters: Voter[];
  survivors: Survivor[];
  lost: Lost[];
  /** The node that says that it leads. */
  leader?: string;
}

/** Reads it from the views. */
export function findLeft(subject: Subject, views: Views): Found {
  const known = { ...views, subject };
  const left = survivors(known);
  const leader = Object.entries(views.vault).find(([, { value }]) => value?.leads)?.[0];
  return {
    voters: voters(known),
    survivors: left.map((voter) => {
      const { sealed = true, appliedIndex } = views.vault[voter.node]?.value ?? {};
      return { ...voter, sealed, ...(appliedIndex !== undefined && { index: appliedIndex }) };
    }),
    lost: voters(known)
      .filter(({ node }) => !left.some((one) => one.node === node))
      .map((voter) => ({ ...voter, ...lossOf(voter.node, views) })),
    ...(leader !== undefined && { leader }),
  };
}

function lossOf(node: string, { vault, kubernetes, pulumi }: Views): Pick<Lost, "store" | "why"> {
  const { value, failed } = vault[node] ?? {};
  if (value?.state === "removed") return { store: "gone", why: "it was removed from the raft configuration" };
  if (value !== undefined) return { store: "gone", why: "it runs on a blank store" };
  const claims = kubernetes?.value?.claims;
  const claim = claims?.find(({ name }) => name === `data-${node}`);
  if (claims !== undefined && claim === undefined) return { store: "gone", why: "its claim is gone" };
  const pinned = pulumi.pinned.stores[node];
  if (claim !== undefined && pinned !== undefined && claim.uid !== pinned)
    return { store: "gone", why: `its claim is another one (${claim.uid}, known was ${pinned})` };
  const there = claim === undefined ? "" : `its claim data-${node} (${claim.uid}) is there; `;
  return { store: "unknown", why: `${there}it does not answer: ${failed ?? "the stack does not run it"}` };
}

/**
 * What speaks against telling the survivors that they are the whole cluster, each in words; none where nothing does.
 * @param given nodes that somebody has named as lost for good
 */
export function problemsOf(
  found: Found,
  given: readonly string[],
  begun: Begun | undefined,
  commands: { unseal: string; restore: string },
): string[] {
  const { voters, survivors, lost, leader } = found;
  const majority = Math.floor(voters.length / 2) + 1;
  const problems = given
    .filter((node) => !lost.some((one) => one.node === node))
    .map(
      (node) =>
        `--lost names ${node}, which ${survivors.some((one) => one.node === node) ? "has its store" : "is no voter"}`,
    );
  if (survivors.length === 0)
    return [
      ...problems,
      `no voter answers with a store, so there is nothing to go on with. Bring one back, or restore a snapshot into a new Vault: ${commands.restore}`,
    ];
  if (begun !== undefined) {
    const [then, now] = [
      begun.survivors.toSorted().join(", "),
      survivors
        .map(({ node }) => node)
        .toSorted()
        .join(", "),
    ];
    if (then !== now)
      problems.push(
        `a recovery was begun at ${begun.begunAt} with ${then}, and now ${now} answer with a store. Bring back what it was; or, to begin anew: rm ${begun.file}`,
      );
    return problems;
  }
  if (leader !== undefined)
    return [...problems, `${leader} leads: there is a quorum, and nothing to recover`];
  if (survivors.length >= majority)
    return [
      ...problems,
      `${survivors.length} of ${voters.length} voters have their stores, and ${majority} are a majority: nothing is lost. Have them unsealed: ${commands.unseal}`,
    ];
  for (const { node, why } of lost.filter(({ node, store }) => store === "unknown" && !given.includes(node)))
    problems.push(
      `${node} may come back: ${why}. Bring it back first, then nothing is lost. If its store is gone for good, say so: --lost ${lost
        .filter(({ store }) => store === "unknown")
        .map((one) => one.node)
        .join(",")}`,
    );
  return problems;
}
