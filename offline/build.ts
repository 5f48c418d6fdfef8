import { parseArgs } from "node:util";
import {
  containerd,
  coredns,
  etcd,
  ingressNginx,
  kind,
  kubernetes,
  localPathProvisioner,
  pulumiCli,
  pulumiLanguageNodejs,
  pulumiResourceKubernetes,
  rclone,
  traefik,
  vault,
  whoami,
} from "./go.ts";
import { type Brought, buildParts, type Progress } from "./lib/build-parts.ts";
import type { Part } from "./lib/part.ts";
import { Store } from "./lib/store.ts";
import { debian } from "./node/debian.ts";
import { loadNodeImage, nodeImage } from "./node.ts";

/**
 * Table of contents of the closed network: every part, in the order in which they are begun. Those of the node
 * image come first, so that it is put together beside the last compilations.
 */
export const parts: readonly Part[] = [
  debian,
  whoami,
  kind,
  kubernetes,
  etcd,
  coredns,
  localPathProvisioner,
  ingressNginx,
  traefik,
  rclone,
  containerd,
  vault,
  nodeImage,
  pulumiCli,
  pulumiResourceKubernetes,
  pulumiLanguageNodejs,
];

/** What the closed network is brought with, by what the set-up asks for. Each brings what it needs. */
export const closedParts = {
  /** `pulumi` */
  pulumi: pulumiCli,
  /** `pulumi-language-nodejs`, `pulumi-analyzer-policy` */
  languageHosts: pulumiLanguageNodejs,
  /** `pulumi-resource-kubernetes` */
  kubernetesPlugin: pulumiResourceKubernetes,
  /** `kind` */
  kind,
  /** `kube`, which is kubectl when called so */
  kubectl: kubernetes,
  /** `image.tar`: the kind node image, put together from nearly everything else */
  nodeImage,
  /** `chart/`: that of ingress-nginx */
  ingressChart: ingressNginx,
} satisfies Record<string, Part>;

const usage = `Usage: node offline/build.ts [part...]

Builds what the closed network needs from Go modules and Debian packages into the cache folder, and brings
the node image into Docker. Without names: everything. What is there is not built again.

  --list   the parts, their keys, whether they are there and what they took
  --help   this text

The cache folder: $VAULT_HA_CACHE, else $XDG_CACHE_HOME/vault-ha, else ~/.cache/vault-ha.`;

/** Progress as a line of text: which part, how many of how many, how long so far. */
export function progressLine(progress: Progress): string {
  if (progress.kind === "plan") return `${progress.make} parts to make, ${progress.there} there`;
  const time = `${duration(progress.total)} in all`;
  if (progress.kind === "tick") {
    const running = progress.running.map(
      ({ part, number, seconds }) => `[${number}/${progress.of}] ${part.name} ${duration(seconds)}`,
    );
    return `${running.join(", ")} (${time})`;
  }
  const head = `[${progress.number}/${progress.of}] ${progress.part.name}:`;
  switch (progress.kind) {
    case "start":
      return `${head} ${progress.part.says} (${time})`;
    case "waiting":
      return `${head} another process makes it; waiting (${time})`;
    case "done":
      return `${head} ${progress.how} after ${duration(progress.seconds)} (${time})`;
    case "failed":
      return `${head} failed after ${duration(progress.seconds)} (${time})`;
  }
}

/** The parts as a table: how each came, and the seconds it took to make it, now or when it was made. */
export function partsTable(store: Store, brought: readonly Brought[]): string {
  const rows = brought.map(({ part, how }) => [
    part.name,
    how === "made" ? "made" : "already there",
    store.made(part)?.seconds.toFixed(1) ?? "",
    part.says,
  ]);
  const lines = [["part", "", "seconds", "what"], ...rows];
  const width = (column: number) => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  return lines
    .map(([name = "", how = "", time = "", says = ""]) =>
      [name.padEnd(width(0)), how.padEnd(width(1)), time.padStart(width(2)), says].join("  "),
    )
    .join("\n");
}

/** Seconds as people read them. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(usage);
  const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) {
    throw new Error(`No part is named ${unknown.join(", ")}. See: node offline/build.ts --list`);
  }
  const store = new Store();
  const wanted = positionals.length === 0 ? parts : parts.filter((part) => positionals.includes(part.name));
  if (values.list) {
    for (const part of wanted) {
      const took = store.made(part)?.seconds;
      const state = store.has(part) ? "there" : "missing";
      console.log(
        `${part.name}-${store.key(part)}: ${state}${took === undefined ? "" : `, took ${duration(took)}`}`,
      );
    }
    return;
  }
  const began = performance.now();
  const onProgress = (progress: Progress) => console.error(progressLine(progress));
  const brought = await buildParts(wanted, { store, onProgress });
  console.log(partsTable(store, brought));
  if (wanted.includes(nodeImage)) console.log(`In Docker: ${await loadNodeImage(noLog, store)}`);
  console.log(`${duration((performance.now() - began) / 1000)} in all`);
}

/** Docker's few words are in the errors too. */
const noLog = { path: "/dev/null", write: () => {} };

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
