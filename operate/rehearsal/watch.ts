import { setTimeout as sleep } from "node:timers/promises";
import type { Road } from "../../steps/lib/road.ts";
import { NodeClient } from "./node-client.ts";

/**
 * A node as it answers sys/health, without a token. "leaderless": a standby that has lost the leader.
 * "silent": it does not answer within a second.
 */
export type NodeState = "leads" | "follows" | "leaderless" | "sealed" | "silent";

/** A time during which a node said the same. Times: ms, performance.now(). */
export interface Span {
  state: NodeState;
  from: number;
  to: number;
}

/** How long after an answer a node is asked again, in milliseconds. */
const everyMs = 150;

/** How long an answer may take, in milliseconds: on two slow cores up to 1 s. */
const giveUpMs = 1_000;

/** Watches the nodes' own words on whether they lead, follow or are sealed. */
export class Watch {
  readonly spans: Record<string, Span[]> = {};
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(road: Road, nodes: readonly string[], signal: AbortSignal) {
    for (const node of nodes) this.spans[node] = [];
    this.#running = Promise.all(nodes.map((node) => this.#watch(new NodeClient(road, node, signal))));
    // An abort is the caller's to see, who has the same signal.
    this.#running.catch(() => {});
  }

  /** What a node said last, and since when. */
  last(node: string): Span | undefined {
    return this.spans[node]?.at(-1);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #watch(client: NodeClient): Promise<void> {
    const spans = this.spans[client.node] as Span[];
    try {
      while (!this.#stopped) {
        const sentAt = performance.now();
        const answer = await client.ask("GET", "sys/health", { timeoutMs: giveUpMs });
        const state = stateOf(answer?.status);
        const now = performance.now();
        const last = spans.at(-1);
        if (last?.state === state) last.to = now;
        else {
          // One that does not answer fell silent before it was asked.
          const from = state === "silent" || last === undefined ? sentAt : now;
          if (last !== undefined) last.to = from;
          spans.push({ state, from, to: now });
        }
        if (!this.#stopped) await sleep(everyMs);
      }
    } finally {
      client.close();
    }
  }
}

/**
 * By https://developer.hashicorp.com/vault/api-docs/system/health: 200 active, 429, 472 and 473 standby, 474 a standby
 * without a healthy connection to the active node, 501 not initialised, 503 sealed, 530 removed, which seals itself.
 */
export function stateOf(status: number | undefined): NodeState {
  if (status === 200) return "leads";
  if (status === 429 || status === 472 || status === 473) return "follows";
  if (status === 474) return "leaderless";
  if (status === 501 || status === 503 || status === 530) return "sealed";
  return "silent";
}
