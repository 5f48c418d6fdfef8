import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Road } from "../../steps/lib/road.ts";
import { outcomeOf, type Write } from "./ledger.ts";
import { NodeClient } from "./node-client.ts";

/** A write begins this long after the one before it, in milliseconds, or when that one has ended: 20 a second. */
export const everyMs = 50;

/** How long a write may take before the writer goes to the next node, in milliseconds. */
export const giveUpMs = 500;

/** The nodes that a writer writes through, and where. */
export interface WriterOptions {
  road: Road;
  nodes: readonly string[];
  token: string;
  /** Path of the mount, without a slash at its end. */
  mount: string;
  /** What its keys begin with. */
  prefix: string;
  signal: AbortSignal;
}

/**
 * Writes as a client behind a Service does: it stays with a node that answers, and goes to the next where one fails.
 * It writes one after the other, so that every acknowledgement has its place in time.
 */
export class Writer {
  /** Everything written so far, in order. */
  readonly writes: Write[] = [];
  readonly #options: WriterOptions;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#running = this.#run();
    // An abort is the caller's to see, who has the same signal.
    this.#running.catch(() => {});
  }

  get acknowledged(): Write[] {
    return this.writes.filter(({ outcome }) => outcome === "acknowledged");
  }

  /** Ends it after the write that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { road, nodes, token, signal } = this.#options;
    const clients = nodes.map((node) => new NodeClient(road, node, signal, token));
    try {
      for (let at = 0; !this.#stopped; ) {
        const write = await this.#write(clients[at] as NodeClient);
        this.writes.push(write);
        if (write.outcome !== "acknowledged") at = (at + 1) % clients.length;
        await sleep(Math.max(0, write.sentAt + everyMs - performance.now()), undefined, { signal });
      }
    } finally {
      for (const client of clients) client.close();
    }
  }

  async #write(client: NodeClient): Promise<Write> {
    const { mount, prefix } = this.#options;
    const key = `${prefix}${String(this.writes.length + 1).padStart(6, "0")}`;
    const value = randomUUID();
    const sentAt = performance.now();
    const answer = await client.ask("POST", `${mount}/${key}`, { body: { value }, timeoutMs: giveUpMs });
    const endedAt = performance.now();
    return { key, value, node: client.node, sentAt, endedAt, outcome: outcomeOf(answer) };
  }
}
