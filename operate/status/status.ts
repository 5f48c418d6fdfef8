import type { Proof } from "../../steps/lib/snapshot-record.ts";
import { type BackupView, nextBackup } from "../backup/view.ts";
import type { Custody } from "../custody/record.ts";
import type { Listed } from "../snapshot/list.ts";
import type { Answer } from "../views/answer.ts";
import type { Named } from "../views/commands.ts";
import type { PodSeen } from "../views/kubernetes-view.ts";
import type { PulumiNode } from "../views/pulumi-view.ts";
import type { RaftServer } from "../views/raft-view.ts";
import type { NodeTls, TlsView } from "../views/tls-view.ts";
import type { VaultNode } from "../views/vault-view.ts";
import type { Views } from "../views/views.ts";
import type { Disagreement } from "./disagreement.ts";
import { disagreements } from "./disagreements.ts";

/** healthy: all is well. degraded: Vault serves, but something is not right. down: nobody is known to serve. */
export type Verdict = "healthy" | "degraded" | "down";

/** Exit codes of `npm run status`; 3 is for a stack that could not be looked at, and for wrong usage. */
export const exitCodes: Record<Verdict, number> = { healthy: 0, degraded: 1, down: 2 };

/** One node in the views. A view that did not answer is `{failed: "why"}`. */
export interface NodeStatus {
  node: string;
  pulumi: PulumiNode;
  /** null: Kubernetes answered, and there is no such pod. */
  kubernetes: Answer<Omit<PodSeen, "object" | "name"> | null>;
  vault: Answer<VaultNode>;
  /** How it speaks to its clients, and the certificate that it shows. */
  tls: NodeTls;
  /** null: Raft answered, and knows no such server. */
  raft: Answer<(Omit<RaftServer, "node"> & { lag?: number }) | null>;
}

/**
 * What `npm run status -- --json` prints. Fields may be added, none is renamed or removed without a word in the
 * change log. No field ever holds a share or a token.
 */
export interface Status {
  stack: string;
  verdict: Verdict;
  /** The node that leads, where exactly one says so. */
  leader?: string;
  /** How many voters may fail before the cluster stands still; known where Raft answered. */
  failureTolerance?: number;
  /** The Secret of Vault's certificate, without its key; absent where Vault is to speak HTTP. */
  tls?: TlsView;
  /** The snapshots on this machine; absent where the folder cannot be read. */
  snapshots?: Snapshots;
  /** Where this machine's journal says that the root token was revoked: when, and the user who logs in since. */
  rootRevoked?: { at: string; user: string };
  /** Where people hold the shares: who, and who has proved lately to have the key still. */
  custody?: Custody;
  /** Where a rekey was begun from this machine and has not ended: when. */
  rekeyBegunAt?: string;
  /** The scheduled ones in the cluster; absent where there is no schedule, or the cluster did not answer. */
  backup?: BackupView & { nextAt?: string };
  nodes: NodeStatus[];
  disagreements: Disagreement[];
}

/** What is known of a stack's snapshots, from what was noted beside them. */
export interface Snapshots {
  count: number;
  newest?: { file: string; savedAt: string; index?: number };
  /** The last time that one of them was restored somewhere and read. */
  proved?: { file: string } & Proof;
}

/** Puts the views side by side and judges them. */
export function statusOf(subject: Named, views: Views): Status {
  const vaults = Object.entries(views.vault);
  const leaders = vaults.filter(([, { value }]) => value?.leads).map(([pod]) => pod);
  const committed = views.vault[leaders[0] ?? ""]?.value?.committedIndex;
  const found = disagreements(subject, views);
  const [leader] = leaders;
  const { rootRevoked, rekeyBegunAt, holders } = views.journal.value ?? {};
  return {
    stack: subject.stack,
    verdict: leader === undefined ? "down" : found.length > 0 ? "degraded" : "healthy",
    ...(leaders.length === 1 && leader && { leader }),
    ...(views.raft.value && { failureTolerance: views.raft.value.failureTolerance }),
    ...(views.tls && { tls: views.tls }),
    ...(views.snapshots.value && { snapshots: snapshotsOf(views.snapshots.value) }),
    ...(rootRevoked && { rootRevoked }),
    ...(rekeyBegunAt && { rekeyBegunAt }),
    ...(holders && { custody: holders }),
    ...(views.backup?.value && { backup: backupOf(views.backup.value) }),
    nodes: subject.pods.map((node) => ({
      node,
      pulumi: views.pulumi.nodes[node] ?? { done: [], missing: [] },
      kubernetes: podOf(node, views.kubernetes),
      vault: views.vault[node] ?? { failed: "not asked" },
      tls: views.nodeTls[node] ?? {},
      raft: serverOf(node, views, committed),
    })),
    disagreements: found,
  };
}

function backupOf(view: BackupView): BackupView & { nextAt?: string } {
  const next = nextBackup(view, new Date());
  return { ...view, ...(next && { nextAt: next.toISOString() }) };
}

function snapshotsOf(listed: readonly Listed[]): Snapshots {
  const [newest] = listed;
  const [proved] = listed
    .flatMap(({ file, record }) => (record?.proof ? [{ file, ...record.proof }] : []))
    .sort((one, other) => other.provedAt.localeCompare(one.provedAt));
  return {
    count: listed.length,
    ...(newest && {
      newest: {
        file: newest.file,
        savedAt: newest.savedAt,
        ...(newest.record && { index: newest.record.index }),
      },
    }),
    ...(proved && { proved }),
  };
}

function podOf(node: string, kubernetes: Views["kubernetes"]): NodeStatus["kubernetes"] {
  if (kubernetes === undefined) return { failed: "this Vault does not run on Kubernetes" };
  if (!kubernetes.value) return kubernetes;
  const pod = kubernetes.value.pods[node];
  if (pod === undefined) return { value: null };
  const { object: _, name: __, ...rest } = pod;
  return { value: rest };
}

function serverOf(node: string, { raft, vault }: Views, committed: number | undefined): NodeStatus["raft"] {
  if (!raft.value) return raft;
  const server = raft.value.servers.find((each) => each.node === node);
  if (server === undefined) return { value: null };
  const { node: _, ...rest } = server;
  const applied = vault[node]?.value?.appliedIndex;
  // The two are asked one after the other, so a follower may seem to be ahead.
  const lag = committed === undefined || applied === undefined ? undefined : Math.max(0, committed - applied);
  return { value: { ...rest, ...(lag !== undefined && { lag }) } };
}
