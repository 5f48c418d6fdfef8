import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { local } from "./folders.ts";
import { kindUrl, kubectlUrl } from "./official.ts";
import { type Way, writeJson } from "./tools-record.ts";

/** Sources that are used together: one that does not answer closes its group. */
export type Group = "pulumi" | "kubernetes" | "images";

/** An official place that something comes from. */
export interface Source {
  group: Group;
  url: string;
  /** A registry asks for a token first: 401 with a challenge is its right answer. */
  registry?: boolean;
}

/** Whether a group answers, and what says so: for one line to the user. */
export interface Verdict {
  reachable: boolean;
  reason: string;
}

export type Verdicts = Record<Group, Verdict>;

/** What is tried are the very files that would be fetched, or the door in front of them. */
export const officialSources: Source[] = [
  { group: "pulumi", url: "https://get.pulumi.com/install.sh" },
  { group: "kubernetes", url: kindUrl },
  { group: "kubernetes", url: `${kubectlUrl}.sha256` },
  { group: "images", url: "https://registry-1.docker.io/v2/", registry: true },
  { group: "images", url: "https://registry.k8s.io/v2/", registry: true },
  { group: "images", url: "https://helm.releases.hashicorp.com/index.yaml" },
  { group: "images", url: "https://kubernetes.github.io/ingress-nginx/index.yaml" },
];

/** Limit for one source; all are tried at once. */
export const TRY_MS = 3_000;
/** How long an answer is good for, so that the next run does not wait for it again. */
export const REMEMBER_MS = 3_600_000;

/** Tries every source once, all at the same time. */
export async function tryAll(sources: Source[] = officialSources, limitMs = TRY_MS): Promise<Verdicts> {
  const answers = await Promise.all(sources.map((source) => tryOne(source, limitMs)));
  const verdict = (group: Group): Verdict => {
    const ofGroup = sources.map((source, i) => ({ source, refusal: answers[i] })).filter(isOf(group));
    const closed = ofGroup.find(({ refusal }) => refusal !== undefined);
    if (closed) return { reachable: false, reason: `${host(closed.source)} ${closed.refusal}` };
    const hosts = [...new Set(ofGroup.map(({ source }) => host(source)))];
    return { reachable: true, reason: `${hosts.join(", ")} ${hosts.length === 1 ? "answers" : "answer"}` };
  };
  return { pulumi: verdict("pulumi"), kubernetes: verdict("kubernetes"), images: verdict("images") };
}

const isOf =
  (group: Group) =>
  ({ source }: { source: Source }) =>
    source.group === group;
const host = (source: Source) => new URL(source.url).host;

/** Undefined if the source gives what it should; otherwise what it did instead. */
async function tryOne({ url, registry }: Source, limitMs: number): Promise<string | undefined> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(limitMs) });
    const asksForToken = response.status === 401 && response.headers.has("www-authenticate");
    if (response.ok || (registry && asksForToken)) return undefined;
    return `answers ${response.status}`;
  } catch (error) {
    return refusal(error as Error, limitMs);
  }
}

function refusal(error: Error, limitMs: number): string {
  if (error.name === "TimeoutError") return `gives no answer within ${limitMs / 1000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  const words: Record<string, string> = {
    ENOTFOUND: "is not known by name here",
    EAI_AGAIN: "is not known by name here",
    ECONNREFUSED: "refuses the connection",
    ECONNRESET: "cuts the connection",
    UND_ERR_SOCKET: "cuts the connection",
  };
  return words[cause?.code ?? ""] ?? `cannot be reached (${cause?.code || cause?.message || error.message})`;
}

const verdict = z.object({ reachable: z.boolean(), reason: z.string() });
const memory = z.object({
  at: z.number(),
  verdicts: z.object({ pulumi: verdict, kubernetes: verdict, images: verdict }),
});

/** Which way every group goes, and why. */
export type Ways = Record<Group, { way: Way; reason: string }>;

/** What the user asked for: to try, or one way for all. */
export type Network = "auto" | Way;

/** Reads --network, else VAULT_HA_NETWORK. Throws on a word that is none of the three. */
export function readNetwork(flag: string | true | undefined, env = process.env): Network {
  const word = flag ?? (env.VAULT_HA_NETWORK || "auto");
  if (word === "auto" || word === "official" || word === "closed") return word;
  throw new Error(`VAULT_HA_NETWORK is one of auto, official, closed; found "${word}"`);
}

/** Decides each group's way: as forced, else as remembered from the last hour, else by trying. */
export async function decideWays(
  network: Network,
  { file = local.reach, sources = officialSources, limitMs = TRY_MS, now = Date.now() } = {},
): Promise<Ways> {
  if (network !== "auto") {
    const forced = { way: network, reason: "--network or VAULT_HA_NETWORK says so" };
    return { pulumi: forced, kubernetes: forced, images: forced };
  }
  const remembered = recall(file, now);
  const verdicts = remembered?.verdicts ?? (await tryAll(sources, limitMs));
  if (!remembered) writeJson(file, { at: now, verdicts });
  const minutes = remembered && Math.round((now - remembered.at) / 60_000);
  const when = minutes === undefined ? "" : ` (tried ${minutes} min ago)`;
  const decide = ({ reachable, reason }: Verdict) => ({
    way: (reachable ? "official" : "closed") as Way,
    reason: reason + when,
  });
  const { pulumi, kubernetes, images } = verdicts;
  return { pulumi: decide(pulumi), kubernetes: decide(kubernetes), images: decide(images) };
}

function recall(file: string, now: number) {
  if (!existsSync(file)) return undefined;
  try {
    const read = memory.parse(JSON.parse(readFileSync(file, "utf8")));
    return now - read.at < REMEMBER_MS && read.at <= now ? read : undefined;
  } catch {
    return undefined;
  }
}
