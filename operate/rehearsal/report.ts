/** What a rehearsal found, as text and as an object for programs. */
import { median } from "../../bench/timing.ts";
import { duration } from "../../setup/progress.ts";
import { table } from "../../setup/summary.ts";
import type { Outcome } from "./ledger.ts";
import type { Round } from "./round.ts";
import { everyMs, giveUpMs } from "./writer.ts";

/** What was rehearsed, beside what was found. */
export interface Rehearsed {
  stack: string;
  nodes: readonly string[];
  /** How the leaders were ended: "SIGKILL to the vault process". */
  kill: string;
  /** Raft's performance_multiplier in the stack's values; undefined where they say none. */
  performanceMultiplier: number | undefined;
  rounds: readonly Round[];
  /** Path of the picture. */
  picture: string;
}

/** Whether nothing was lost, writes came back, and the cluster is whole again. */
export function isGood({ lost, gap, problems }: Round): boolean {
  return lost.length === 0 && gap !== undefined && problems.length === 0;
}

/** How many writes ended so. */
export function count({ writes }: Pick<Round, "writes">, outcome: Outcome): number {
  return writes.filter((write) => write.outcome === outcome).length;
}

/** How many acknowledged writes were lost; one that is lost to several nodes counts once. */
export function lostKeys({ lost }: Pick<Round, "lost">): number {
  return new Set(lost.map(({ key }) => key)).size;
}

/** A round in one line. */
export function headline(round: Round): string {
  const { number, leaderBefore, leaderAfter, gap, wholeAgainMs } = round;
  return [
    `Round ${number}: ${leaderBefore} led, then ${leaderAfter ?? "nobody"}`,
    gap === undefined ? "writes did not come back" : `write gap ${(gap.ms / 1000).toFixed(2)} s`,
    `${lostKeys(round)} of ${count(round, "acknowledged")} acknowledged writes lost`,
    wholeAgainMs === undefined
      ? "not whole again"
      : `whole again after ${(wholeAgainMs / 1000).toFixed(1)} s`,
  ].join(" · ");
}

/** The rehearsal as an object for programs: no keys' values, no secrets. Times in ms. */
export function asObject({ stack, kill, performanceMultiplier, rounds, picture }: Rehearsed) {
  return {
    stack,
    kill,
    performanceMultiplier,
    good: rounds.every(isGood),
    lost: rounds.reduce((sum, round) => sum + lostKeys(round), 0),
    gapMs: spread(gaps(rounds)),
    writer: { everyMs, giveUpMs },
    rounds: rounds.map((round) => ({
      round: round.number,
      began: round.began,
      leaderBefore: round.leaderBefore,
      leaderAfter: round.leaderAfter,
      gapMs: whole(round.gap?.ms),
      gapResolutionMs: whole(round.gap?.resolutionMs),
      writes: {
        acknowledged: count(round, "acknowledged"),
        refused: count(round, "refused"),
        unanswered: count(round, "unanswered"),
      },
      lost: round.lost,
      wholeAgainMs: whole(round.wholeAgainMs),
      problems: round.problems,
    })),
    picture,
  };
}

/** The words at the end of a rehearsal. */
export function asText(rehearsed: Rehearsed): string {
  const { stack, nodes, kill, performanceMultiplier, rounds, picture } = rehearsed;
  const rows = rounds.map((round) => [
    `${round.number}`,
    round.leaderBefore,
    round.leaderAfter ?? "nobody",
    round.gap === undefined ? "not over" : `${whole(round.gap.ms)} ms`,
    round.gap === undefined ? "" : `${whole(round.gap.resolutionMs)} ms`,
    `${count(round, "acknowledged")}`,
    `${lostKeys(round)}`,
    round.wholeAgainMs === undefined ? "no" : duration(round.wholeAgainMs),
  ]);
  const head = ["round", "led before", "leads after", "write gap", "of it waiting", "acknowledged", "lost"];
  const multiplier =
    performanceMultiplier === undefined ? "" : `, performance_multiplier ${performanceMultiplier}`;
  return [
    "",
    `Leader of stack ${stack} ended: ${kill} (${nodes.length} nodes${multiplier})`,
    "",
    ...table([...head, "whole again after"], rows),
    "",
    ...(rounds.length > 1 ? [totals(rounds), ""] : []),
    ...verdict(rehearsed),
    "",
    `A write every ${everyMs} ms, given up after ${giveUpMs} ms. The write gap goes from the last acknowledged write`,
    'to the next; "of it waiting" is how much of it the writer may have waited by itself at its end.',
    `Picture: ${picture}`,
    `Next: npm run up -- --stack ${stack}   (takes the new containers into the state)`,
    "",
  ].join("\n");
}

function verdict({ nodes, rounds }: Rehearsed): string[] {
  const bad = rounds.flatMap((round) => [
    ...round.lost.map(({ key, node, found }) => `${key} was acknowledged, and ${node} has ${found}`),
    ...(round.gap === undefined ? ["no write was acknowledged again after the kill"] : []),
    ...round.problems,
  ]);
  if (bad.length > 0) return ["NOT WELL:", ...bad.map((line) => `  ${line}`)];
  const writes = rounds.reduce((sum, round) => sum + count(round, "acknowledged"), 0);
  return [
    `Nothing was lost: each of ${writes} acknowledged writes was read back through ${nodes.join(", ")}.`,
    "All nodes are unsealed voters again.",
  ];
}

function totals(rounds: readonly Round[]): string {
  const found = spread(gaps(rounds));
  const lost = rounds.reduce((sum, round) => sum + lostKeys(round), 0);
  const gap =
    found === undefined
      ? "no gap ended"
      : `gap ${found.min} / ${found.median} / ${found.max} ms (min / median / max)`;
  return `${rounds.length} rounds: ${gap}, ${lost} lost`;
}

function gaps(rounds: readonly Round[]): number[] {
  return rounds.map(({ gap }) => gap?.ms).filter((ms) => ms !== undefined);
}

function spread(values: number[]): { min: number; median: number; max: number } | undefined {
  if (values.length === 0) return undefined;
  const of = (value: number) => Math.round(value);
  return { min: of(Math.min(...values)), median: of(median(values)), max: of(Math.max(...values)) };
}

function whole(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
