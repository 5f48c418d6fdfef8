/** Has the blank nodes of a first raising join, so that holders who are together unseal all of them at once. */
import type { Resource } from "../../setup/stack.ts";
import type { Step } from "../../steps/lib/io.ts";
import { joinCluster } from "../../steps/lib/join.ts";
import type { Road } from "../../steps/lib/road.ts";
import { stackLockHolder, takeStackLock } from "../../steps/lib/stack-lock.ts";
import type { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { type Waiting, within } from "../../steps/lib/wait.ts";

/** How long a node may take to join: the one before it has to be a voter first. */
const joinSeconds = 120;

/** The nodes of one stack that this process has join. */
export class Raising {
  readonly #target: Target;
  readonly #road: Road;
  readonly #resources: readonly Pick<Resource, "urn">[];
  readonly #waiting: Pick<Waiting, "say" | "signal">;

  constructor(
    { target, road, resources }: { target: Target; road: Road; resources: readonly Pick<Resource, "urn">[] },
    waiting: Pick<Waiting, "say" | "signal">,
  ) {
    this.#target = target;
    this.#road = road;
    this.#resources = resources;
    this.#waiting = waiting;
  }

  /** Of nodes that are blank: those that no update has brought in yet. One that was in before is the steps' affair. */
  toJoin(blank: readonly string[]): string[] {
    const wasIn = (pod: string) =>
      this.#resources.some(({ urn }) => urn.endsWith(`::lifecycle-voter-${pod}`));
    return blank.filter((pod) => pod !== "vault-0" && !wasIn(pod));
  }

  /** Who works on the stack, and so joins its nodes itself; undefined where nobody does. */
  async other(): Promise<string | undefined> {
    return await stackLockHolder(this.#target.stackDir);
  }

  /** Joins one node through vault-0, when the one before it has its vote. */
  async join(pod: string, token: string): Promise<void> {
    const step: Step = {
      ...within(this.#waiting, joinSeconds),
      say: (line) => this.#waiting.say(`${pod}: ${line}`),
      unbroken: (work) => work(),
      hide: () => {},
    };
    const release = await takeStackLock(this.#target.stackDir, `unseal: join ${pod}`, step);
    const joining = new Vault(this.#road, pod, step);
    const member = new Vault(this.#road, "vault-0", step, token);
    try {
      await joinCluster(joining, member, this.#road, this.#target, step);
    } finally {
      release();
      for (const each of [joining, member]) each.close();
    }
  }
}
