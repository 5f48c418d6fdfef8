import { listed } from "../../status/names.ts";
import { commandsOf } from "../../views/commands.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Check, Finding } from "../finding.ts";
import { recovery, voters } from "../recovery.ts";

/** Whether one node leads, and a majority of the voters can. */
export const leader: Check = {
  looks: "whether one node leads, and a majority of the voters is there",
  *find(evidence) {
    const { subject, vault } = evidence;
    const answered = Object.entries(vault).flatMap(([node, { value }]) =>
      value ? [{ node, ...value }] : [],
    );
    const leaders = answered.filter(({ leads }) => leads);
    const { doctor } = commandsOf(subject);
    if (leaders.length > 1)
      yield {
        id: "two-leaders",
        nodes: leaders.map(({ node }) => node),
        wrong: `${listed(leaders.map(({ node }) => node))} each say that they lead`,
        evidence: leaders.map(({ node, committedIndex }) => ({
          asked: `GET /v1/sys/leader of ${node}`,
          answered: `is_self: true, committed index ${committedIndex}`,
        })),
        means:
          "During a failover this passes within seconds: the old one has not noticed yet. Where it stays, the nodes are of two Vaults.",
        next: [doctor],
      };
    const ids = new Map(answered.flatMap(({ node, clusterId }) => (clusterId ? [[clusterId, node]] : [])));
    if (ids.size > 1)
      yield {
        id: "two-clusters",
        nodes: [...ids.values()],
        wrong: "the nodes are not one Vault",
        evidence: [...ids].map(([id, node]) => ({
          asked: `GET /v1/sys/seal-status of ${node}: cluster_id`,
          answered: id,
        })),
        means:
          "A node was initialised by itself instead of joining. What was written to one is not in the other.",
        next: [`pulumi stack output peers --stack ${subject.stack}`],
      };
    if (leaders.length > 0 || !answered.some(({ initialised }) => initialised)) return;
    yield lost(evidence) ?? waiting(evidence);
  },
};

/** The quorum, where so few voters are there that nobody can be elected. */
function lost(evidence: Evidence): Finding | undefined {
  const { subject, vault, pulumi } = evidence;
  const { up, unseal, kubectl } = commandsOf(subject);
  const all = voters(evidence);
  const serving = all.filter(
    ({ node }) => vault[node]?.value?.initialised && vault[node].value.sealed === false,
  );
  const majority = Math.floor(all.length / 2) + 1;
  if (serving.length >= majority) return undefined;
  const away = all.filter(({ node }) => !serving.some((other) => other.node === node));
  return {
    id: "quorum-lost",
    nodes: away.map(({ node }) => node),
    wrong: `the quorum is lost: ${serving.length} of ${all.length} voters can vote, ${majority} are needed`,
    evidence: all.map(({ node, address }) => ({
      asked: `voter ${node} (${address})`,
      answered: stateWords(vault[node]),
    })),
    means:
      "Vault serves nothing until a majority of the voters is back. First bring them back: a node that is stopped or sealed has lost nothing. Only where the stores of so many are gone for good that no majority ever comes back, the survivors are told to be the whole cluster, by peers.json; what the lost ones alone had acknowledged is lost then.",
    // An update alone opens nothing where people hold the shares.
    next: [
      ...(pulumi.byHolders && away.some(({ node }) => vault[node]?.value?.state === "sealed")
        ? [unseal]
        : []),
      up,
      kubectl("get pods"),
      ...recovery(evidence),
    ],
  };
}

function waiting({ subject, vault }: Evidence): Finding {
  const { kubectl } = commandsOf(subject);
  const unsealed = Object.entries(vault).filter(([, { value }]) => value?.initialised && !value.sealed);
  return {
    id: "no-leader",
    nodes: [],
    wrong: "a majority of the voters is unsealed, and nobody leads",
    evidence: unsealed.map(([node, { value }]) => ({
      asked: `GET /v1/sys/leader of ${node}`,
      answered: `is_self: false, leader ${value?.leaderAddress || "none"}, applied index ${value?.appliedIndex ?? "unknown"}`,
    })),
    means:
      "After a failure an election takes 1 to 2 s at performance_multiplier 1, and 5 to 10 s at Vault's default of 5. Where it stays, the nodes do not reach each other on port 8201.",
    next: [kubectl(`logs ${unsealed[0]?.[0]} --tail 50`), commandsOf(subject).doctor],
  };
}

function stateWords(answer: Evidence["vault"][string] | undefined): string {
  if (answer === undefined) return "not run by this stack";
  // Who did not answer what is said by the line itself.
  if (answer.failed !== undefined)
    return `does not answer: ${answer.failed.replace(/^\S+ did not answer GET \S+: /, "")}`;
  const { state, progress, threshold, seal } = answer.value;
  if (state === "sealed" && seal !== undefined) return `sealed, its seal ${seal} has not unsealed it`;
  return state === "sealed" ? `sealed, ${progress} of ${threshold} shares` : state;
}
