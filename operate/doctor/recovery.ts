import { sealOf } from "../open-vault.ts";
import { commandsOf } from "../views/commands.ts";
import type { Evidence } from "./evidence/evidence.ts";
import { giveUpLines } from "./give-up.ts";

/** A Raft server by its id and its cluster address. */
export interface Voter {
  node: string;
  address: string;
}

/** What tells who votes. */
type Known = Pick<Evidence, "raft" | "pulumi" | "subject">;

/** The port on which the nodes speak Raft with each other. */
const clusterPort = 8201;

/** The voters: as Raft has them, else as the last `up` saw them, else as the chart names them. */
export function voters({ raft, pulumi, subject }: Known): Voter[] {
  if (raft.value) return raft.value.servers.filter(({ voter }) => voter);
  if (pulumi.peers.length > 0) return pulumi.peers;
  return subject.pods.map((node) => ({ node, address: `${node}.vault-internal:${clusterPort}` }));
}

/** The voters that still have their store: they answer and are initialised, sealed or not. */
export function survivors(evidence: Known & Pick<Evidence, "vault">): Voter[] {
  return voters(evidence).filter(({ node }) => {
    const { value } = evidence.vault[node] ?? {};
    return value?.initialised && value.state !== "removed";
  });
}

/**
 * What peers.json has to say so that these nodes alone are the cluster. The format is Vault's:
 * https://developer.hashicorp.com/vault/docs/concepts/integrated-storage#manual-recovery-using-peers-json
 */
export function peersJson(nodes: readonly Voter[]): string {
  return JSON.stringify(nodes.map(({ node, address }) => ({ id: node, address, non_voter: false })));
}

/**
 * The recovery by peers.json, step by step, with this cluster's own ids and addresses. None where every voter still has
 * its store: then all that is wanted is that they are unsealed.
 */
export function recovery(evidence: Evidence): string[] {
  const { subject, pulumi } = evidence;
  const { kubectl, unseal, vault } = commandsOf(subject);
  const left = survivors(evidence);
  if (left.length === voters(evidence).length) return [];
  if (left.length === 0)
    return [
      "# no voter is left that answers with a store: bring one back, or restore a snapshot into a new Vault",
    ];
  const each = (command: (node: string) => string) => left.map(({ node }) => command(node));
  return [
    "# Only if the other voters' stores are gone for good. This says what is left, and without --dry-run goes on with it:",
    `npm run recover quorum -- ${subject.stack === "dev" ? "" : `--stack ${subject.stack} `}--dry-run`,
    "# The same by hand. 1. Keep a copy of what each survivor has:",
    ...each((node) => kubectl(`exec ${node} -- tar -cf - -C /vault/data . > ${node}-data.tar`)),
    "# 2. Write on each survivor who the cluster is from now on:",
    ...each(
      (node) =>
        `echo '${peersJson(left)}' | ${kubectl(`exec -i ${node} -- sh -c 'cat > /vault/data/raft/peers.json'`)}`,
    ),
    "# 3. Start the survivors again, all before any is unsealed; Vault reads peers.json when it is unsealed, and deletes it:",
    kubectl(`delete pod ${left.map(({ node }) => node).join(" ")}`),
    ...(pulumi.byHolders
      ? ["# 4. The holders of the shares unseal them:", unseal]
      : sealOf(subject.resources) === undefined
        ? [
            "# 4. Unseal them with the shares that there have always been, the threshold number of times each:",
            ...each((node) => kubectl(`exec -it ${node} -- vault operator unseal`)),
          ]
        : ["# 4. They unseal themselves, by their seal."]),
    "# 5. See that one of them leads:",
    vault(left[0]?.node ?? "", "operator raft list-peers"),
    "# 6. Give up the stores that are lost, and let blank nodes join in their place:",
    ...giveUpLines(
      evidence,
      voters(evidence).flatMap(({ node }) => (left.some((one) => one.node === node) ? [] : [node])),
    ),
  ];
}
