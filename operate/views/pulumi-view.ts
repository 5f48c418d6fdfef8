import type { Resource } from "../../setup/stack.ts";

/** What Pulumi's state knows of one node. */
export interface PulumiNode {
  /** Steps of the node that are in the state, in their order: init, join, unseal, voter. */
  done: string[];
  /** Steps that are not: `npm run up` was not run to its end. */
  missing: string[];
  /** The container that was unsealed, as Kubernetes names it ("containerd://3f2a..."), where the state knows one. */
  container?: string;
}

/** What Pulumi's state knows. */
export interface PulumiView {
  nodes: Record<string, PulumiNode>;
  /** Whether the last step, verify, is in the state. */
  verified: boolean;
  /** Whether it has enabled an audit device. */
  audits: boolean;
  /** Whether people hold the shares, so that none is in it. */
  byHolders?: boolean;
  /** The identity that the state has pinned; what it does not know is absent. */
  pinned: { kubernetes?: string; stores: Record<string, string>; clusterId?: string };
  /** The Raft servers as verify last saw them: id and cluster address. */
  peers: { node: string; address: string }[];
}

/** The steps that a node goes through: the first one is initialised, each other one joins. */
const stepsOf = (at: number): string[] => (at === 0 ? ["init", "unseal"] : ["join", "unseal", "voter"]);

/** Reads what a state's resources say of these pods. */
export function pulumiView(resources: readonly Resource[], pods: readonly string[]): PulumiView {
  const named = (noun: string) => resources.find(({ urn }) => urn.endsWith(`::${noun}`));
  const facts = (noun: string) => known(named(`lifecycle-${noun}`)?.inputs?.environment);
  const { KUBERNETES, STORES = "" } = facts("identity");
  const { VAULT } = facts("verify");
  const nodes = pods.map((pod, at): [string, PulumiNode] => {
    const has = (step: string) => named(`lifecycle-${step}-${pod}`) !== undefined;
    const { CONTAINER } = facts(`unseal-${pod}`);
    return [
      pod,
      {
        done: stepsOf(at).filter(has),
        missing: stepsOf(at).filter((step) => !has(step)),
        ...(CONTAINER?.includes("://") && { container: CONTAINER }),
      },
    ];
  });
  const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
  return {
    nodes: Object.fromEntries(nodes),
    verified: named("lifecycle-verify") !== undefined,
    audits: named("lifecycle-audit") !== undefined,
    ...(named("lifecycle-token") && { byHolders: true }),
    pinned: {
      ...(KUBERNETES && { kubernetes: KUBERNETES }),
      // "vault-0=<UID> vault-1=<UID>"
      stores: Object.fromEntries(
        STORES.split(" ")
          .filter(Boolean)
          .map((each) => each.split("=")),
      ),
      ...(VAULT && { clusterId: VAULT }),
    },
    peers: Array.isArray(outputs?.peers) ? outputs.peers : [],
  };
}

/** A step's facts, without those that stand for "could not be asked". */
function known(environment: unknown): Record<string, string> {
  const entries = Object.entries((environment ?? {}) as Record<string, string>);
  return Object.fromEntries(entries.filter(([, value]) => value !== "unknown"));
}
