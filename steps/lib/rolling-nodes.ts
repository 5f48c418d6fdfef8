/** The nodes of a Vault that are brought to another release, and what can be asked of them. */
import { NotYet, Unreachable } from "./errors.ts";
import type { Unsealing } from "./unseal.ts";
import type { Vault } from "./vault.ts";

/** The nodes of a Vault that may run something else than the release says. */
export interface RollingNodes {
  /** All nodes, in the order of their names. */
  names: readonly string[];
  /** Whether a node runs, and shows another certificate than it was given. */
  isStale(node: string): Promise<boolean>;
  /** Has a node take up its certificate, without a restart. Throws NotYet until it shows that. */
  reload(node: string): Promise<void>;
  /**
   * Whether a node is believed to lead, without asking it: one whose authority has changed cannot be asked before it
   * has taken up its certificate.
   */
  seemsToLead(node: string): Promise<boolean>;
  /** Whether a node was made from an older template than the release has. Throws NotYet where that is not known yet. */
  isOutdated(node: string): Promise<boolean>;
  /** The image that the release says, such as hashicorp/vault:1.21.1. Throws NotYet where that is not known yet. */
  image(): Promise<string>;
  /** Starts a node anew. Throws NotYet until it runs as the release says; it is sealed then. */
  restart(node: string): Promise<void>;
  /** The node's API, as it is spoken to now: it may change its scheme and its authority with a restart. */
  vault(node: string): Promise<Vault>;
}

/** How the nodes are unsealed, and what the messages name. */
export type Opening = Pick<
  Unsealing,
  "stack" | "stackDir" | "reach" | "seal" | "shares" | "byHolders" | "threshold"
>;

/** Whether it answers now: one that cannot run as it is will not answer before its restart. */
export async function answers(node: string, nodes: RollingNodes): Promise<boolean> {
  const vault = await nodes.vault(node);
  return await vault
    .sealStatus()
    .then(() => true)
    .catch((error) => {
      if (error instanceof Unreachable) return false;
      throw error;
    })
    .finally(() => vault.close());
}

/** The nodes in their order, but for those that lead: they come last. */
export async function leadersLast(
  nodes: readonly string[],
  leads: (node: string) => Promise<boolean>,
): Promise<string[]> {
  const led = await Promise.all(nodes.map(leads));
  return [...nodes.filter((_, at) => !led[at]), ...nodes.filter((_, at) => led[at])];
}

/** Whether it says that it leads. */
export async function isLeader(node: string, nodes: RollingNodes): Promise<boolean> {
  const vault = await nodes.vault(node);
  // One that does not answer does not lead, or will not for long.
  return await vault
    .leader()
    .then(
      ({ is_self }) => is_self,
      () => false,
    )
    .finally(() => vault.close());
}

/** The API of the node that leads. Throws NotYet where none does. */
export async function leaderOf(nodes: RollingNodes): Promise<Vault> {
  for (const node of nodes.names) if (await isLeader(node, nodes)) return await nodes.vault(node);
  throw new NotYet("no node says that it leads");
}

/** Throws NotYet where it is sealed. */
export async function unsealed(node: string, nodes: RollingNodes): Promise<void> {
  const vault = await nodes.vault(node);
  const { sealed } = await vault.sealStatus().finally(() => vault.close());
  if (sealed) throw new NotYet(`${node} is sealed`);
}
