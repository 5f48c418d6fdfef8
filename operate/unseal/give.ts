/** Gives shares to sealed nodes. Whoever holds one gives it from anywhere; Vault itself counts how many it has. */
import { StepError, Unreachable } from "../../steps/lib/errors.ts";
import { says, speaksOfWrongShares } from "../../steps/lib/unseal.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import type { SealStatus } from "../../steps/lib/vault-answers.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { mayPass, until, type Waiting, within } from "../../steps/lib/wait.ts";

/** How long a node that joins may take to be unsealed after its last share, in seconds. */
const openSeconds = 60;

/** How a node is found. */
export interface NodeSeen {
  node: string;
  state: "unsealed" | "sealed" | "blank" | "silent";
  /** How many shares it has, of how many it wants. */
  progress: number;
  threshold: number;
}

/** What came of a share at one node. */
export type Given =
  | { node: string; came: "counted" | "known"; progress: number; threshold: number }
  | { node: string; came: "unsealed" }
  /** `wrong`: the shares so far open it not, and it has forgotten them all; `unfit`: this one is no share at all. */
  | { node: string; came: "wrong" | "unfit" | "unjoined" | "spoiled"; says: string };

/** One person's, or one gathering's, shares: in memory, for as long as this lives, and nowhere else. */
export class Giving {
  readonly #vaults: readonly Vault[];
  readonly #waiting: Pick<Waiting, "say" | "signal">;
  #held: string[] = [];
  /** Which of the held shares a node has, and of which attempt: one that was started again has none of them. */
  readonly #given = new Map<string, { nonce: string; shares: Set<string> }>();

  constructor(vaults: readonly Vault[], waiting: Pick<Waiting, "say" | "signal">) {
    this.#vaults = vaults;
    this.#waiting = waiting;
  }

  /** How many shares are in memory. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes a share into memory. @returns false where it is there already */
  take(share: string): boolean {
    if (this.#held.includes(share)) return false;
    this.#held.push(share);
    return true;
  }

  /** Forgets every share. */
  wipe(): void {
    this.#held = [];
    this.#given.clear();
  }

  async look(): Promise<NodeSeen[]> {
    return await Promise.all(this.#vaults.map(async (vault) => seen(vault.node, await statusOf(vault))));
  }

  /**
   * Gives each sealed node the shares that it has not had from here, and no more than it wants. Where they do not open a
   * node, all of them are forgotten, since nobody can tell which one is wrong.
   * @param until only these nodes
   */
  async round(nodes?: readonly string[]): Promise<Given[]> {
    const came: Given[] = [];
    for (const vault of this.#vaults) {
      if (nodes && !nodes.includes(vault.node)) continue;
      for (const share of this.#held) {
        const status = await statusOf(vault);
        if (status === undefined || !status.initialized || !status.sealed) break;
        if (this.#has(vault.node, status).has(share)) continue;
        const given = await this.#give(vault, share, status);
        came.push(given);
        if (given.came !== "counted" && given.came !== "known") break;
      }
    }
    if (came.some(({ came }) => came === "wrong" || came === "unfit")) this.wipe();
    return came;
  }

  #has(node: string, { nonce = "", progress }: SealStatus): Set<string> {
    const known = this.#given.get(node);
    if (known !== undefined && progress > 0 && known.nonce === nonce) return known.shares;
    const shares = new Set<string>();
    this.#given.set(node, { nonce, shares });
    return shares;
  }

  async #give(vault: Vault, share: string, before: SealStatus): Promise<Given> {
    const { node } = vault;
    const last = before.t > 0 && before.progress + 1 >= before.t;
    try {
      const after = await vault.unseal(share);
      if (!after.sealed || last) return await this.#opened(vault);
      const { nonce = "", progress, t: threshold } = after;
      const shares = this.#given.get(node)?.shares ?? new Set();
      this.#given.set(node, { nonce, shares: shares.add(share) });
      return { node, came: progress > before.progress ? "counted" : "known", progress, threshold };
    } catch (error) {
      // Without an answer to the last one the node may be at work on all of them.
      if (error instanceof Unreachable && last) return await this.#opened(vault);
      if (!(error instanceof VaultError)) throw error;
      const says = error.message;
      if (tells(error, "no expected answer")) return { node, came: "unjoined", says };
      if (tells(error, "already has state")) return { node, came: "spoiled", says };
      if (!speaksOfWrongShares(error)) throw error;
      const now = await statusOf(vault);
      if (now && now.progress === before.progress && now.nonce === before.nonce)
        return { node, came: "unfit", says };
      if (now && now.progress > 0) await vault.resetUnseal();
      return { node, came: "wrong", says };
    }
  }

  async #opened(vault: Vault): Promise<Given> {
    const { node } = vault;
    const limit = within(this.#waiting, openSeconds);
    await until(
      `${node} to be unsealed`,
      async () => {
        const status = await vault.sealStatus();
        if (status.sealed) throw new Unreachable(`${node} has all shares and is sealed still`);
      },
      limit,
      "npm run doctor",
    );
    return { node, came: "unsealed" };
  }
}

const tells = says;

/** undefined where it does not answer. */
async function statusOf(vault: Vault): Promise<SealStatus | undefined> {
  return await vault.sealStatus().catch((error) => {
    if (mayPass(error) || error instanceof StepError) return undefined;
    throw error;
  });
}

function seen(node: string, status: SealStatus | undefined): NodeSeen {
  if (status === undefined) return { node, state: "silent", progress: 0, threshold: 0 };
  const { initialized, sealed, progress, t: threshold } = status;
  return { node, state: !initialized ? "blank" : sealed ? "sealed" : "unsealed", progress, threshold };
}
