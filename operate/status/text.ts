import { table } from "../../setup/summary.ts";
import { bucketUrl } from "../../steps/lib/backup-bucket.ts";
import type { TlsProblem } from "../../steps/lib/tls-refusal.ts";
import { provedDays } from "../custody/record.ts";
import { ending } from "../views/kubernetes-view.ts";
import { dayOf, daysInWords, shortContainer, shortUid } from "./names.ts";
import type { NodeStatus, Status } from "./status.ts";

/** The views side by side, and in words below them what does not agree. */
export function statusText(status: Status): string {
  const rows = status.nodes.map((node) => [
    node.node,
    pulumiCell(node),
    kubernetesCell(node),
    vaultCell(node),
    raftCell(node),
  ]);
  return [
    ...table(["node", "Pulumi", "Kubernetes", "Vault", "Raft"], rows),
    ...sealLines(status),
    ...tlsLines(status),
    ...snapshotLines(status, new Date()),
    ...keysLines(status),
    ...backupLines(status, new Date()),
    "",
    ...status.disagreements.flatMap(({ says, next }) => [`  ${says}`, `    ${next}`]),
    ...(status.disagreements.length > 0 ? [""] : []),
    verdictLine(status),
    "",
  ].join("\n");
}

function verdictLine({ verdict, stack, leader, failureTolerance, nodes }: Status): string {
  const facts = [
    leader ? `${leader} leads` : "no node is known to lead",
    ...(failureTolerance === undefined ? [] : [`${failureTolerance} of ${nodes.length} nodes may fail`]),
  ];
  return `Stack ${stack} is ${verdict}: ${facts.join(", ")}.`;
}

/** Nothing where key shares unseal the nodes. */
function sealLines({ nodes }: Status): string[] {
  const seals = [...new Set(nodes.flatMap(({ vault }) => vault.value?.seal ?? []))];
  if (seals.length === 0) return [];
  return [`  seal: ${seals.join(" and ")} unseals the nodes; the stack's shares are recovery shares`];
}

function tlsLines({ tls, nodes }: Status): string[] {
  if (tls === undefined) return [];
  const { certificate } = tls.holds.value ?? {};
  if (certificate === undefined) return [`  TLS: the certificate of the Secret ${tls.secret} is not known`];
  const { issuer, validTo, daysLeft, fingerprint } = certificate;
  const ends =
    daysLeft < 0 ? `expired on ${dayOf(validTo)}` : `until ${dayOf(validTo)} (${daysInWords(daysLeft)})`;
  const showing = nodes.filter(({ tls }) => tls.shows?.fingerprint === fingerprint).length;
  return [
    `  TLS: certificate by ${issuer}, ${ends}, Secret ${tls.secret}, shown by ${showing} of ${nodes.length} nodes`,
  ];
}

/** What the journal tells; Vault is not asked. */
function keysLines({ rootRevoked, rekeyBegunAt, custody, stack }: Status): string[] {
  const flag = stack === "dev" ? "" : ` -- --stack ${stack}`;
  return [
    ...(rootRevoked
      ? [`  root token: revoked on ${dayOf(rootRevoked.at)}; ${rootRevoked.user} logs in`]
      : []),
    ...(custody
      ? [
          `  custody: ${custody.proved} of ${custody.shares} holders proved within ${provedDays} days${custody.proved < custody.shares ? ` (npm run custody drill${flag})` : ""}`,
        ]
      : []),
    ...(rekeyBegunAt ? [`  rekey: begun on ${dayOf(rekeyBegunAt)} and cut off (npm run rekey${flag})`] : []),
  ];
}

function snapshotLines({ snapshots, stack, custody }: Status, now: Date): string[] {
  if (snapshots === undefined) return [];
  const { count, newest, proved } = snapshots;
  const flag = stack === "dev" ? "" : ` -- --stack ${stack}`;
  if (newest === undefined) return [`  snapshot: none on this machine (npm run snapshot save${flag})`];
  const index = newest.index === undefined ? "" : ` (raft index ${newest.index})`;
  const proof = proved
    ? `restore proved ${ago(proved.provedAt, now)} ago, in ${proved.seconds} s`
    : `restore never proved (${custody ? "docs/custody.md, Snapshots" : `npm run rehearse restore${flag}`})`;
  return [`  snapshot: the newest of ${count} is ${ago(newest.savedAt, now)} old${index}; ${proof}`];
}

function backupLines({ backup }: Status, now: Date): string[] {
  if (backup === undefined) return [];
  const { lastGoodAt, good, nextAt, suspended, schedule, bucket } = backup;
  const last =
    lastGoodAt === undefined
      ? "none was good yet"
      : `last good ${ago(lastGoodAt, now)} ago${good ? ` (raft index ${good.record.index})` : ""}`;
  const next = suspended
    ? "suspended"
    : nextAt
      ? `next at ${nextAt.slice(0, 16)}Z`
      : `never again (${schedule})`;
  const where = bucket ? `in ${bucketUrl(bucket)}` : "in the cluster";
  const left = good?.left ? `, older ones were not removed (${good.left})` : "";
  const kept = good ? `; ${good.kept.length} kept ${where}${left}` : "";
  return [`  backup: ${last}, ${next}${kept}`];
}

/** How long ago something was, in the largest unit that fits. */
export function ago(then: string, now: Date): string {
  const minutes = Math.max(0, Math.round((now.getTime() - new Date(then).getTime()) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

function pulumiCell({ pulumi: { done, missing, container } }: NodeStatus): string {
  if (done.length === 0) return "nothing";
  const steps = missing.length === 0 ? "all steps" : done.join(", ");
  return container === undefined ? steps : `${steps}, ${shortContainer(container)}`;
}

function kubernetesCell({ kubernetes }: NodeStatus): string {
  if (kubernetes.failed !== undefined) return "not answered";
  const pod = kubernetes.value;
  if (pod === null) return "no pod";
  return [
    !pod.container || pod.phase === ending ? pod.phase : pod.ready ? "ready" : "not ready",
    ...(pod.container ? [shortContainer(pod.container)] : []),
    pod.restarts === 1 ? "1 restart" : `${pod.restarts} restarts`,
    ...(pod.claim ? [`pvc ${shortUid(pod.claim.uid)}`] : []),
    // kind's node names begin with the cluster's.
    ...(pod.node ? [pod.node.split("-").at(-1) ?? pod.node] : []),
  ].join(", ");
}

const refusals: Record<TlsProblem, string> = {
  expired: "certificate expired",
  "not yet valid": "certificate not yet valid",
  "of another authority": "certificate of another authority",
  "for other names": "certificate for other names",
  "no TLS": "speaks no TLS",
};

function vaultCell({ vault, tls }: NodeStatus): string {
  if (tls.refused) return refusals[tls.refused.problem];
  if (vault.failed !== undefined) return "not answered";
  const { state, progress, threshold, seal, version } = vault.value;
  const waits = seal === undefined ? `${progress} of ${threshold} shares` : `waits for its seal ${seal}`;
  return `${state}${state === "sealed" ? ` (${waits})` : ""}, ${version}`;
}

function raftCell({ raft }: NodeStatus): string {
  if (raft.failed !== undefined) return "not answered";
  const server = raft.value;
  if (server === null) return "not a member";
  return [
    server.leader ? "leader" : "follower",
    server.voter ? "voter" : "no vote",
    ...(server.healthy === undefined ? [] : [server.healthy ? "healthy" : "not healthy"]),
    ...(server.lag === undefined ? [] : [`lag ${server.lag}`]),
  ].join(", ");
}
