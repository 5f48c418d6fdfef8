/** What can happen to a Vault's nodes and to whoever works on them, in any order: for property tests. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { RecordingProxy } from "./recording-proxy.ts";
import type { Ran } from "./step-process.ts";
import type { VaultProcess } from "./vault-process.ts";
import { VaultStack } from "./vault-stack.ts";

/** One thing that happens. `meanwhile`: what happens while the steps of `up` run, each so long after the one before. */
export type Event =
  | { what: "restart" | "kill" | "freeze" | "thaw"; node: number }
  | { what: "seal the leader" | "cut all connections" | "write" | "kill the step" }
  | { what: "up"; meanwhile: { afterMs: number; event: Event }[] };

export const nodeCount = 3;

const node = fc.nat(nodeCount - 1);
const simple: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant("write" as const) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("restart" as const), node }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom("kill" as const, "freeze" as const, "thaw" as const),
      node,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom("seal the leader" as const, "cut all connections" as const),
    }),
  },
);
const disturbance = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Event>({ what: "kill the step" }) },
  { weight: 2, arbitrary: simple },
);
const up: fc.Arbitrary<Event> = fc.record({
  what: fc.constant("up" as const),
  meanwhile: fc.array(fc.record({ afterMs: fc.nat(1_500), event: disturbance }), { maxLength: 3 }),
});

/** A round on fresh nodes: three sequences, of which the first begins with the nodes blank. */
export const anyRound: fc.Arbitrary<Event[][]> = fc
  .tuple(
    up,
    fc.array(fc.array(fc.oneof(up, simple, simple), { minLength: 1, maxLength: 4 }), {
      minLength: 3,
      maxLength: 3,
    }),
  )
  .map(([first, [sequence = [], ...rest]]) => [[first, ...sequence], ...rest]);

/** An event in one line. */
export function words(event: Event): string {
  if (event.what === "up")
    return [
      "up",
      ...event.meanwhile.map(({ afterMs, event }) => `${afterMs} ms later: ${words(event)}`),
    ].join(", ");
  return "node" in event ? `${event.what} vault-${event.node}` : event.what;
}

/** Some vault processes to which events happen, with a ledger of what Vault acknowledged. */
export class EventfulVault {
  readonly stack: VaultStack;
  readonly proxies: RecordingProxy[];
  /** Each write that Vault answered with 2xx: name and value. */
  readonly ledger = new Map<string, string>();
  readonly #down = new Set<VaultProcess>();
  readonly #frozen = new Set<VaultProcess>();
  #initsBefore = 0;
  #killStep: () => void = () => {};

  private constructor(stack: VaultStack, proxies: RecordingProxy[]) {
    this.stack = stack;
    this.proxies = proxies;
  }

  /** Blank nodes; the steps reach them through proxies. */
  static async start(): Promise<EventfulVault> {
    const stack = await VaultStack.start(nodeCount);
    const proxies = await Promise.all(stack.nodes.nodes.map(({ address }) => RecordingProxy.before(address)));
    for (const [at, { name }] of stack.nodes.nodes.entries())
      stack.instead[name] = proxies[at]?.address as string;
    return new EventfulVault(stack, proxies);
  }

  async happen(event: Event): Promise<void> {
    if (event.what === "up") return this.#upWhile(event.meanwhile);
    if ("node" in event) return this.#toNode(event.what, this.stack.nodes.at(event.node));
    if (event.what === "kill the step") this.#killStep();
    if (event.what === "cut all connections") for (const proxy of this.proxies) proxy.cut();
    if (event.what === "write") await this.write();
    if (event.what === "seal the leader")
      await (await this.#leader())?.send("PUT", "sys/seal", {}, this.stack.token).catch(() => {});
  }

  /** Writes through the node that leads; what it acknowledges is in the ledger. */
  async write(): Promise<void> {
    const [name, value] = [`event-${this.ledger.size}-${randomUUID()}`, randomUUID()];
    const leader = await this.#leader();
    // Without an answer, or with another one than 2xx, nobody may count on it.
    const acknowledged = await leader
      ?.send("POST", `cubbyhole/${name}`, { value }, this.stack.token)
      .catch(() => undefined);
    if (acknowledged !== undefined) this.ledger.set(name, value);
  }

  /**
   * Ends what stands in the way (nodes that are stopped or frozen) and runs every step once more. Where a step says
   * that a node needs a fresh volume, since it was ended half-way through its first call, it gets one.
   */
  async settle(): Promise<Ran> {
    for (const node of [...this.#frozen]) await this.#toNode("thaw", node);
    for (const node of [...this.#down]) await this.#start(node);
    for (let volumes = 0; ; volumes++) {
      const ran = await this.stack.update({ timeoutSeconds: 60 });
      const [, pod] = /Next: kubectl delete pvc\/data-(vault-\d+) pod\/\1/.exec(ran.stderr) ?? [];
      if (pod === undefined || volumes === nodeCount) return ran;
      const at = this.stack.pods.indexOf(pod);
      if (at === 0 && this.ledger.size > 0) throw new Error(`a fresh volume after writes: ${ran.stderr}`);
      if (at === 0) this.#initsBefore = this.#allInits();
      await this.stack.nodes.at(at).blank();
    }
  }

  /** How often vault-0 has answered init on the store that it has now. */
  inits(): number {
    return this.#allInits() - this.#initsBefore;
  }

  #allInits(): number {
    return this.proxies.flatMap(({ answers }) => answers).filter((each) => each === "PUT /v1/sys/init 200")
      .length;
  }

  async end(failed: boolean): Promise<void> {
    for (const proxy of this.proxies) await proxy.end();
    await this.stack.nodes.end({ failed });
  }

  async #upWhile(meanwhile: { afterMs: number; event: Event }[]): Promise<void> {
    // Nodes may be away, which no step can wait out here.
    const ran = this.stack.update(
      { timeoutSeconds: 5 },
      {
        started: ({ kill }) => {
          this.#killStep = () => kill("SIGKILL");
        },
      },
    );
    for (const { afterMs, event } of meanwhile) {
      await sleep(afterMs);
      await this.happen(event);
    }
    await ran;
    this.#killStep = () => {};
  }

  async #toNode(what: "restart" | "kill" | "freeze" | "thaw", node: VaultProcess): Promise<void> {
    if (what === "freeze" && !this.#down.has(node)) {
      node.freeze();
      this.#frozen.add(node);
    }
    if (what === "thaw") {
      node.thaw();
      this.#frozen.delete(node);
    }
    if (what === "kill" || what === "restart") {
      await node.stop("SIGKILL");
      this.#frozen.delete(node);
      this.#down.add(node);
    }
    if (what === "restart") await this.#start(node);
  }

  async #start(node: VaultProcess): Promise<void> {
    await node.start();
    this.#down.delete(node);
  }

  /** The node that says of itself that it leads; undefined where none does. */
  async #leader(): Promise<VaultProcess | undefined> {
    for (const node of this.stack.nodes.nodes) {
      if (this.#down.has(node) || this.#frozen.has(node)) continue;
      const { is_self } = await node.get("sys/leader").catch(() => ({ is_self: false }));
      if (is_self === true) return node;
    }
    return undefined;
  }
}
