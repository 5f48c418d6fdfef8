import { availableParallelism } from "node:os";
import type { Part } from "./part.ts";
import { Store } from "./store.ts";

/** What happens while parts are made, for whoever shows it. Seconds are since that thing's begin. */
export type Progress =
  /** Once, before anything: how many parts have to be made, how many are there. */
  | { kind: "plan"; make: number; there: number }
  | { kind: "start"; part: Part; number: number; of: number; total: number }
  /** Another process makes this part; this one waits for it. */
  | { kind: "waiting"; part: Part; number: number; of: number; total: number }
  /** Every `tickSeconds` while something is being made: all that runs, the longest first. */
  | { kind: "tick"; running: { part: Part; number: number; seconds: number }[]; of: number; total: number }
  | {
      kind: "done";
      part: Part;
      how: "made" | "there";
      number: number;
      of: number;
      seconds: number;
      total: number;
    }
  | { kind: "failed"; part: Part; number: number; of: number; seconds: number; total: number; error: Error };

/** How a wanted part came to be there. `seconds` is the time it took to make it, 0 if it was there. */
export interface Brought {
  part: Part;
  how: "made" | "there";
  seconds: number;
}

export interface BuildOptions {
  store?: Store;
  onProgress?: (progress: Progress) => void;
  /** How often "tick" is told, in seconds. */
  tickSeconds?: number;
  /** How many light parts are made at once, beside the one heavy part. */
  lightAtOnce?: number;
}

/**
 * Brings all wanted parts and what they need into the store, and tells for each, in the order they are
 * made, how. A part in the store is not made again, and what only that part needs is not looked at.
 * When a part fails, nothing new is begun, what runs is let finish (it is kept), and the failure is thrown.
 */
export async function buildParts(wanted: readonly Part[], options: BuildOptions = {}): Promise<Brought[]> {
  const store = options.store ?? new Store();
  const tell = options.onProgress ?? (() => {});
  const lightAtOnce = options.lightAtOnce ?? Math.max(1, availableParallelism() - 1);
  const began = performance.now();
  const total = () => (performance.now() - began) / 1000;

  const { missing, there } = plan(wanted, store);
  tell({ kind: "plan", make: missing.length, there: there.length });
  const brought: Brought[] = there.map((part) => ({ part, how: "there", seconds: 0 }));
  if (missing.length === 0) return brought;
  await store.sweep();

  const of = missing.length;
  const waiting = new Set(missing);
  const running = new Map<Part, { number: number; since: number; done: Promise<void> }>();
  const failures: Error[] = [];

  const start = (part: Part): void => {
    const number = of - waiting.size + 1;
    const since = total();
    waiting.delete(part);
    tell({ kind: "start", part, number, of, total: since });
    const done = store
      .make(part, () => tell({ kind: "waiting", part, number, of, total: total() }))
      .then(
        (how) => {
          const seconds = total() - since;
          brought.push({ part, how, seconds: how === "made" ? seconds : 0 });
          tell({ kind: "done", part, how, number, of, seconds, total: total() });
        },
        (cause: Error) => {
          const error = new Error(`Part ${part.name} (${part.says}) failed: ${cause.message}`, { cause });
          failures.push(error);
          tell({ kind: "failed", part, number, of, seconds: total() - since, total: total(), error });
        },
      )
      .finally(() => running.delete(part));
    running.set(part, { number, since, done });
  };

  const ticker = setInterval(
    () => {
      const now = [...running].map(([part, { number, since }]) => ({
        part,
        number,
        seconds: total() - since,
      }));
      tell({ kind: "tick", running: now.sort((a, b) => b.seconds - a.seconds), of, total: total() });
    },
    (options.tickSeconds ?? 10) * 1000,
  );
  try {
    while (true) {
      if (failures.length === 0)
        for (const part of startable(waiting, running.keys(), lightAtOnce)) start(part);
      if (running.size === 0) break;
      await Promise.race([...running.values()].map(({ done }) => done));
    }
  } finally {
    clearInterval(ticker);
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map((e) => e.message).join("\n"));
  return brought;
}

/**
 * What has to be made, each part after what it needs and otherwise in the order wanted, and what is there.
 * Needs of a part that is there are left out: it is complete without them.
 */
function plan(wanted: readonly Part[], store: Store): { missing: Part[]; there: Part[] } {
  const missing = new Set<Part>();
  const there = new Set<Part>();
  const visit = (part: Part): void => {
    if (missing.has(part) || there.has(part)) return;
    if (store.has(part)) {
      there.add(part);
      return;
    }
    for (const need of part.needs) visit(need);
    missing.add(part);
  };
  for (const part of wanted) visit(part);
  return { missing: [...missing], there: [...there] };
}

/**
 * Which of the waiting parts to begin now: those whose needs are there, the first heavy one if no heavy
 * one runs, and light ones up to their limit.
 */
function startable(waiting: ReadonlySet<Part>, runningNow: Iterable<Part>, lightAtOnce: number): Part[] {
  const running = [...runningNow];
  let heavy = running.some((part) => part.heavy) ? 0 : 1;
  let light = lightAtOnce - running.filter((part) => !part.heavy).length;
  const chosen: Part[] = [];
  for (const part of waiting) {
    if (part.needs.some((need) => waiting.has(need) || running.includes(need))) continue;
    if (part.heavy ? heavy-- > 0 : light-- > 0) chosen.push(part);
  }
  return chosen;
}
