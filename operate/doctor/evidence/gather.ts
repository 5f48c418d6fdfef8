import { dockerLines } from "../../../steps/lib/docker.ts";
import { openKube } from "../../../steps/lib/kube.ts";
import { openRoad } from "../../../steps/lib/reach.ts";
import { Vault } from "../../../steps/lib/vault.ts";
import type { VaultKeys } from "../../open-vault.ts";
import { type Answer, ask } from "../../views/answer.ts";
import type { Subject } from "../../views/subject.ts";
import { gatherViews, type Views, wayToNode } from "../../views/views.ts";
import { auditFails } from "./audit-fails.ts";
import { clusterEvidence } from "./cluster.ts";
import { diskOf } from "./disk.ts";
import type { Evidence } from "./evidence.ts";
import { filesOf } from "./files.ts";
import type { Inside } from "./inside.ts";
import { callPeer } from "./peers.ts";
import { hiding } from "./secrets.ts";

/** What the doctor reaches beside what the status does. */
export interface Surroundings {
  /** The inside of the nodes; undefined where there is no way in. */
  inside: Inside | undefined;
  locks(): { dead: string[]; held: string[] };
  /** The keys as the stack's state has them. */
  stateKeys(): Promise<VaultKeys | undefined>;
}

/** How long one place may take to answer, in milliseconds: long enough to tell slow from dead on two busy cores. */
const limitMs = 8_000;

/** Looks at everything, and changes nothing. Never throws: what fails is an answer, too. */
export async function gatherEvidence(subject: Subject, around: Surroundings): Promise<Evidence> {
  const views = await gatherViews(subject, limitMs);
  const [api, cluster, inner, files, sameKeys, stabilization] = await Promise.all([
    apiPlaces(subject),
    clusterAnswer(subject),
    innerEvidence(subject, views, around),
    filesOf(subject.stackDir, around.locks),
    within(() => compareKeys(subject, around)),
    stabilizationOf(subject, views),
  ]);
  return { ...views, subject, api, cluster, ...inner, files, sameKeys, stabilization };
}

function within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
  return ask(work, limitMs);
}

async function apiPlaces({ target, clusters }: Subject): Promise<Evidence["api"]> {
  const reach = target?.reach;
  const kubeconfig =
    reach?.kind === "kubernetes"
      ? await within(async () => (await openKube(reach.kubeconfig)).server)
      : undefined;
  const [cluster] = clusters;
  const docker = cluster
    ? await within(async () => (await dockerLines("port", `${cluster}-control-plane`, "6443/tcp"))[0])
    : undefined;
  return {
    ...(kubeconfig?.value && { kubeconfig: kubeconfig.value }),
    ...(docker?.value && { docker: docker.value }),
  };
}

async function clusterAnswer({ target }: Subject): Promise<Evidence["cluster"]> {
  const reach = target?.reach;
  if (reach?.kind === "direct") return undefined;
  if (reach === undefined) return { failed: "the stack has no Vault yet" };
  return within(async (signal) => clusterEvidence(await openKube(reach.kubeconfig), reach.namespace, signal));
}

type Inner = Pick<Evidence, "disks" | "auditDisks" | "peerCalls" | "logs">;

async function innerEvidence(subject: Subject, views: Views, { inside }: Surroundings): Promise<Inner> {
  const { target, pods } = subject;
  const running = pods.filter((pod) =>
    views.kubernetes ? views.kubernetes.value?.pods[pod]?.container : true,
  );
  if (inside === undefined || target === undefined)
    return { disks: {}, auditDisks: {}, peerCalls: [], logs: {} };
  const hub = running.find((pod) => views.vault[pod]?.value?.leads) ?? running[0];
  const pairs = running
    .filter((pod) => pod !== hub)
    .flatMap((pod) => [
      [pod, hub ?? pod],
      [hub ?? pod, pod],
    ]) as [string, string][];
  const hide = hiding((await within(() => subject.keys())).value);
  const audited = views.pulumi.audits ? running : [];
  const [disks, auditDisks, peerCalls, logs] = await Promise.all([
    byNode(running, (pod, signal) => diskOf(inside, pod, inside.dataFolder(pod), signal)),
    byNode(audited, (pod, signal) => diskOf(inside, pod, inside.auditFolder(pod), signal)),
    Promise.all(
      pairs.map(async ([from, to]) => ({
        from,
        to,
        call: await within(async (signal) =>
          callPeer(inside, await openRoad(wayToNode(target, views, to)), from, to, signal),
        ),
      })),
    ),
    byNode(needLook(pods, views), async (pod, signal) => {
      const seen = views.kubernetes?.value?.pods[pod];
      const previous = seen !== undefined && seen.container === undefined && seen.restarts > 0;
      return tellingLines(hide(await inside.log(pod, previous, signal)));
    }),
  ]);
  return { disks, auditDisks, peerCalls, logs };
}

/** Nodes whose last words may say what is wrong: that crash, do not answer, are sealed by a seal, have not joined, or fail inside. */
function needLook(pods: readonly string[], views: Views): string[] {
  const { kubernetes, vault } = views;
  const initialised = Object.values(vault).some(({ value }) => value?.initialised);
  return pods.filter((pod) => {
    const seen = kubernetes?.value?.pods[pod];
    if (kubernetes?.value && seen === undefined) return false;
    if (seen && seen.container === undefined) return seen.restarts > 0;
    const { value } = vault[pod] ?? {};
    if (value?.leads && auditFails(views)) return true;
    if (value?.sealed && value.seal !== undefined) return true;
    return value === undefined
      ? kubernetes === undefined || seen !== undefined
      : initialised && !value.initialised;
  });
}

/** How many lines of a log are evidence enough. */
const enoughLines = 12;

/** The last lines that say something: a node that has not joined says again and again that it has no data yet. */
function tellingLines(log: string): string {
  const again = /security barrier not initialized|seal configuration missing, not initialized/;
  const lines = log.split("\n").filter((line) => line.trim() !== "" && !again.test(line));
  return lines.slice(-enoughLines).join("\n");
}

async function byNode<T>(
  nodes: readonly string[],
  look: (node: string, signal: AbortSignal) => Promise<T>,
): Promise<Record<string, Answer<T>>> {
  const answers = nodes.map(async (node) => [node, await within((signal) => look(node, signal))] as const);
  return Object.fromEntries(await Promise.all(answers));
}

async function compareKeys(subject: Subject, { stateKeys }: Surroundings): Promise<boolean | undefined> {
  const [journal, state] = await Promise.all([subject.keys(), stateKeys()]);
  if (journal === undefined || state === undefined) return undefined;
  const text = ({ shares, rootToken }: VaultKeys) => JSON.stringify([[...shares].sort(), rootToken]);
  return text(journal) === text(state);
}

async function stabilizationOf(subject: Subject, views: Views): Promise<Answer<string>> {
  const { target } = subject;
  const { raft } = views;
  if (!raft.value || !target) return { failed: raft.failed ?? "the stack has no Vault yet" };
  const { asked } = raft.value;
  return within(async (signal) => {
    const road = await openRoad(wayToNode(target, views, asked));
    const vault = new Vault(road, asked, { signal }, (await subject.keys())?.rootToken);
    return (await vault.autopilot().finally(() => vault.close())).server_stabilization_time;
  });
}
