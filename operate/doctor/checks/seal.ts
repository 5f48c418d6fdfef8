import { commandsOf } from "../../views/commands.ts";
import { unsealCommand } from "../../views/unseal-command.ts";
import type { VaultNode } from "../../views/vault-view.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Check, Finding } from "../finding.ts";
import { giveUpLines } from "../give-up.ts";

/** Whether each node answers, is initialised, unsealed and a part of the cluster. */
export const seal: Check = {
  looks: "whether each Vault answers, has joined, is unsealed and was not removed from the cluster",
  *find(evidence) {
    const { subject, vault, nodeTls } = evidence;
    for (const node of subject.pods) {
      const { value, failed } = vault[node] ?? {};
      if (subject.target === undefined) continue;
      // One whose certificate is not trusted was not asked, which is told by its own check.
      if (failed !== undefined && !nodeTls[node]?.refused) yield unanswered(evidence, node, failed);
      if (value === undefined) continue;
      const found =
        removed(evidence, node, value) ?? blank(evidence, node, value) ?? sealed(evidence, node, value);
      if (found) yield found;
    }
  },
};

function unanswered({ subject, logs }: Evidence, node: string, failed: string): Finding {
  const log = logs[node]?.value?.trim();
  return {
    id: "vault-unanswered",
    nodes: [node],
    wrong: `the Vault of ${node} does not answer`,
    evidence: [
      { asked: `GET /v1/sys/seal-status of ${node}`, answered: failed },
      ...(log ? [{ asked: `last lines of the log of ${node}`, answered: log }] : []),
    ],
    means:
      "A Vault that has just been started waits for the Kubernetes API before it listens, up to about two and a half minutes. One that stays silent is dead or hangs.",
    next: [commandsOf(subject).kubectl(`logs ${node} --tail 50`)],
  };
}

function removed(evidence: Evidence, node: string, { state }: VaultNode): Finding | undefined {
  if (state !== "removed") return undefined;
  const { kubectl } = commandsOf(evidence.subject);
  return {
    id: "removed",
    nodes: [node],
    wrong: `${node} was removed from the cluster, and is sealed for good`,
    evidence: [{ asked: `GET /v1/sys/seal-status of ${node}: removed_from_cluster`, answered: "true" }],
    means:
      "Somebody ran remove-peer, or autopilot cleaned it up. Vault lets a removed node come back only with a blank store. The data is on the others, as long as they are a majority.",
    next: [
      "# while the others are healthy: a blank store, which joins again",
      kubectl(`delete pvc/data-${node} pod/${node}`),
      ...giveUpLines(evidence, [node]),
    ],
  };
}

function blank(evidence: Evidence, node: string, { initialised }: VaultNode): Finding | undefined {
  if (initialised) return undefined;
  const { subject, vault, pulumi, raft, logs } = evidence;
  const { up } = commandsOf(subject);
  const others = Object.entries(vault).filter(([, { value }]) => value?.initialised);
  const done = pulumi.nodes[node]?.done ?? [];
  const member = raft.value?.servers.find((server) => server.node === node);
  const wasIn = done.includes("voter") || done.includes("init");
  // The log of one whose store was replaced tells only that it is blank.
  const log = wasIn ? undefined : logs[node]?.value?.trim();
  return {
    id: wasIn ? "blank-store" : others.length > 0 ? "not-joined" : "not-initialised",
    nodes: [node],
    wrong: wasIn
      ? `${node} was in the cluster, and its store is blank now`
      : others.length > 0
        ? `${node} has not joined`
        : `${node} is not initialised`,
    evidence: [
      { asked: `GET /v1/sys/seal-status of ${node}`, answered: "initialized: false" },
      { asked: "Pulumi's state: steps that were done", answered: done.join(", ") || "none" },
      ...(raft.value
        ? [
            {
              asked: `raft configuration: ${node}`,
              answered: member ? `${member.voter ? "voter" : "no vote"}, ${member.address}` : "not in it",
            },
          ]
        : []),
      ...(log ? [{ asked: `last lines of the log of ${node}`, answered: log }] : []),
    ],
    means: wasIn
      ? "Its volume was replaced. It is not initialised again: the way back is to bring the volume back, or to take its old self out of the raft configuration and let it join anew."
      : "It holds no data yet. npm run up goes on where it stopped; what keeps the node from the others, if anything does, is told above.",
    next: wasIn ? rejoin(evidence, node) : [up],
  };
}

/** Lets a node whose store is lost join anew, once its old self is out of the raft configuration. */
function rejoin(evidence: Evidence, node: string): string[] {
  const { raft, subject } = evidence;
  if (!raft.value) return ["# the others have no leader: quorum-lost, below, says what can be done"];
  const member = raft.value.servers.some((server) => server.node === node);
  const remove = commandsOf(subject).vault(raft.value.asked, `operator raft remove-peer ${node}`);
  return [...(member ? [remove] : []), ...giveUpLines(evidence, [node])];
}

function sealed(evidence: Evidence, node: string, value: VaultNode): Finding | undefined {
  if (!value.sealed) return undefined;
  if (value.seal !== undefined) return sealedItself(evidence, node, value.seal);
  const { subject, kubernetes, pulumi } = evidence;
  const pod = kubernetes?.value?.pods[node];
  const known = pulumi.nodes[node]?.container;
  return {
    id: "sealed",
    nodes: [node],
    wrong: `${node} is sealed`,
    ...(pod?.startedAt && { since: pod.startedAt }),
    evidence: [
      {
        asked: `GET /v1/sys/seal-status of ${node}`,
        answered: `sealed: true, progress ${value.progress} of ${value.threshold}`,
      },
      ...(pod?.container && known
        ? [
            { asked: "Pulumi's state: container that was unsealed", answered: known },
            { asked: `kubectl get pod ${node}: container that runs`, answered: pod.container },
          ]
        : []),
    ],
    means: `${
      pod?.container && known === pod.container
        ? "Its container is the one that was unsealed: somebody sealed it, or it sealed itself."
        : "A Vault that was started again is sealed until enough shares are sent."
    }${value.progress > 0 ? " Some shares were sent: a run was cut off, or somebody unseals by hand." : ""}`,
    next: [unsealCommand(subject, evidence, node)],
  };
}

/** One that unseals itself, and has not; what keeps it from that has a check of its own. */
function sealedItself({ subject, kubernetes }: Evidence, node: string, seal: string): Finding {
  const pod = kubernetes?.value?.pods[node];
  return {
    id: "sealed",
    nodes: [node],
    wrong: `${node} is sealed`,
    ...(pod?.startedAt && { since: pod.startedAt }),
    evidence: [{ asked: `GET /v1/sys/seal-status of ${node}`, answered: `sealed: true, type: ${seal}` }],
    means: `It unseals itself when its seal ${seal} is reached; Vault asks again every five seconds. No share unseals it: the stack's are recovery shares.`,
    next: [commandsOf(subject).kubectl(`logs ${node} --tail 20`)],
  };
}
