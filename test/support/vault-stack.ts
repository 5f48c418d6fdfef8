import assert from "node:assert/strict";
import { join } from "node:path";
import { type Ran, type RunOptions, runStep } from "./step-process.ts";
import { VaultNodes } from "./vault-nodes.ts";
import type { NodeOptions } from "./vault-process.ts";

/** Some vault processes as the steps see them: a stack with its folder, and an address for each node. */
export class VaultStack {
  readonly nodes: VaultNodes;
  /** Every step that ran, for what must never show in any. */
  readonly ran: Ran[] = [];
  /** Addresses that stand before the nodes' own, such as a recording proxy's. */
  readonly instead: Record<string, string> = {};
  keys: { shares: string[]; rootToken: string } = { shares: [], rootToken: "" };
  readonly #caCert: string | undefined;
  /** What unseals the nodes by itself, as the steps are told. */
  readonly #sealed: { seal?: string };

  private constructor(nodes: VaultNodes, { tls, seal }: NodeOptions) {
    this.nodes = nodes;
    this.#caCert = tls?.caCert;
    const [type] = Object.keys(seal?.stanza ?? {});
    this.#sealed = type === undefined ? {} : { seal: type };
  }

  static async start(count: number, options: NodeOptions = {}): Promise<VaultStack> {
    return new VaultStack(await VaultNodes.start(count, options), options);
  }

  get stackDir(): string {
    return join(this.nodes.folder, "stack");
  }

  get token(): string {
    return this.keys.rootToken;
  }

  get pods(): string[] {
    return this.nodes.nodes.map(({ name }) => name);
  }

  /** The part of a step's input that all steps share. */
  target() {
    const nodes = this.nodes.nodes;
    return {
      stack: "dev",
      stackDir: this.stackDir,
      scheme: this.#caCert === undefined ? "http" : "https",
      ...(this.#caCert !== undefined && { caCert: this.#caCert }),
      reach: {
        kind: "direct",
        addresses: { ...Object.fromEntries(nodes.map((node) => [node.name, node.address])), ...this.instead },
        stores: Object.fromEntries(nodes.map((node) => [node.name, `${node.name}-store-${node.store}`])),
      },
      timeoutSeconds: 30,
    };
  }

  async run(step: string, input: object, options: RunOptions = {}): Promise<Ran> {
    const ran = await runStep(step, { ...this.target(), ...input }, options);
    this.ran.push(ran);
    return ran;
  }

  async init(more: object = {}, options: RunOptions = {}): Promise<Ran> {
    const input = { pod: "vault-0", shares: 5, threshold: 3, ...this.#sealed, ...more };
    const ran = await this.run("init", input, options);
    if (ran.code === 0) this.keys = ran.answer;
    return ran;
  }

  unseal(pod: string, more: object = {}, options: RunOptions = {}): Promise<Ran> {
    const member = pod === "vault-0" ? {} : { leader: "vault-0", token: this.token };
    const opening = this.#sealed.seal ? this.#sealed : { shares: this.keys.shares, threshold: 3 };
    return this.run("unseal", { pod, ...opening, ...member, ...more }, options);
  }

  join(pod: string, more: object = {}, options: RunOptions = {}): Promise<Ran> {
    return this.run("join", { pod, leader: "vault-0", token: this.token, ...more }, options);
  }

  voter(pod: string, more: object = {}, options: RunOptions = {}): Promise<Ran> {
    return this.run("voter", { pod, token: this.token, ...more }, options);
  }

  verify(more: object = {}, options: RunOptions = {}): Promise<Ran> {
    return this.run("verify", { pods: this.pods, token: this.token, ...more }, options);
  }

  /** All steps up to (not with) verify, each of which has to succeed. */
  async raise(count = this.pods.length, init: object = {}): Promise<void> {
    const done = async (ran: Promise<Ran>) => {
      const { code, stderr } = await ran;
      assert.equal(code, 0, stderr);
    };
    await done(this.init(init));
    await done(this.unseal("vault-0"));
    for (const pod of this.pods.slice(1, count)) {
      await done(this.join(pod));
      await done(this.unseal(pod));
      await done(this.voter(pod));
    }
  }

  identity(more: object = {}, options: RunOptions = {}): Promise<Ran> {
    return this.run("identity", { pods: this.pods, ...more }, options);
  }

  /** Every step of an update, each of which has to succeed. */
  async up(): Promise<void> {
    const { code, stderr } = await this.update();
    assert.equal(code, 0, stderr);
  }

  /**
   * Every step of an update, in its order, each of which finds out what is done already: stops at the first that fails.
   * @param more part of each step's input; `options` are those of each step's process
   * @returns what verify did, or the step that failed
   */
  async update(more: object = {}, options: RunOptions = {}): Promise<Ran> {
    const [first = "", ...others] = this.pods;
    const steps = [
      () => this.identity(more, options),
      () => this.init(more, options),
      () => this.unseal(first, more, options),
      ...others.flatMap((pod) => [
        () => this.join(pod, more, options),
        () => this.unseal(pod, more, options),
        () => this.voter(pod, more, options),
      ]),
    ];
    for (const step of steps) {
      const ran = await step();
      if (ran.code !== 0) return ran;
    }
    return this.verify(more, options);
  }

  /** Joins a node that is blank, and waits until it is a voter. */
  async raiseAgain(pod: string): Promise<void> {
    const leads = async (other: string) =>
      (await this.nodes.nodes.find(({ name }) => name === other)?.get("sys/leader"))?.is_self;
    const others = this.pods.filter((other) => other !== pod);
    const leader = (await leads(others[0] ?? "")) ? others[0] : others[1];
    for (const ran of [await this.join(pod, { leader }), await this.unseal(pod), await this.voter(pod)])
      assert.equal(ran.code, 0, ran.stderr);
  }

  /** What may never be seen outside stdin, stdout and the keys file. */
  secrets(): string[] {
    return [...this.keys.shares, this.token].filter((secret) => secret !== "");
  }

  async end(context?: Mocha.Context): Promise<void> {
    await this.nodes.end({ failed: context?.currentTest?.state === "failed" });
  }
}

/** Fails unless a step ended with a message that has these parts and ends with the next command to type. */
export function assertRefused(ran: Ran, ...parts: (string | RegExp)[]): void {
  assert.equal(ran.code, 1, `expected exit code 1, found ${ran.code}: ${ran.stderr}`);
  assert.equal(ran.stdout, "");
  for (const part of parts) {
    if (typeof part === "string") assert.ok(ran.stderr.includes(part), `"${part}" is not in:\n${ran.stderr}`);
    else assert.match(ran.stderr, part);
  }
  assert.match(
    ran.stderr.trimEnd().split("\n").at(-1) ?? "",
    /^\S.*: Next: \S/,
    "no next command at the end",
  );
}
