import { join } from "node:path";
import { closedParts, parts as inOrder } from "../offline/build.ts";
import { closedSources, unpackIngressChart } from "../offline/images.ts";
import { type Progress as BuildProgress, buildParts } from "../offline/lib/build-parts.ts";
import type { Part } from "../offline/lib/part.ts";
import { Store } from "../offline/lib/store.ts";
import { loadNodeImage } from "../offline/node.ts";
import type { Brought, ClosedWay, Wanted } from "./closed.ts";
import { canInstallPackages, installPackages, missingPackages } from "./debian.ts";
import { fileLog } from "./log.ts";
import type { Program } from "./path-programs.ts";
import { duration, type Say } from "./progress.ts";

/** What the recipes of the parts call, beside Go. */
const buildPackages = [
  { name: "debootstrap", program: "debootstrap" },
  { name: "jq", program: "jq" },
];

/** Builds the wanted parts that the store lacks, lays them out, and loads the node image into Docker. */
export const bringClosed: ClosedWay = async (wanted: Wanted, say: Say): Promise<Brought> => {
  const store = new Store();
  const parts = partsFor(wanted);
  await bringBuildPackages(parts, store, say);
  await buildParts(parts, { store, onProgress: (progress) => show(progress, say) });
  const at = (part: Part, path: string) => join(store.path(part), path);
  const program = (part: Part, name: string): Program => ({
    path: at(part, name),
    version: versionIn(part),
    from: "built here",
  });
  const brought: Brought = {};
  if (wanted.pulumi) {
    brought.pulumi = program(closedParts.pulumi, "pulumi");
    brought.languageHosts = at(closedParts.languageHosts, ".");
  }
  if (wanted.kind) brought.kind = program(closedParts.kind, "kind");
  if (wanted.kubectl) brought.kubectl = program(closedParts.kubectl, "kube");
  if (wanted.plugin) {
    const path = at(closedParts.kubernetesPlugin, "pulumi-resource-kubernetes");
    brought.plugin = { path, version: versionIn(closedParts.kubernetesPlugin) };
  }
  if (wanted.images) {
    await unpackIngressChart(store);
    say.now("node image into Docker");
    await loadNodeImage(fileLog("node-image.log"), store);
    brought.sources = closedSources(store);
  }
  return brought;
};

/** A part says its version, as in "kind 0.33.0". */
const versionIn = (part: Part) => /\d+\.\d+\.\d+/.exec(part.says)?.[0] ?? "unknown";

/** The wanted parts, in the order in which the list of parts has them. */
function partsFor(wanted: Wanted): Part[] {
  const { pulumi, languageHosts, kubernetesPlugin, kind, kubectl, ingressChart, nodeImage } = closedParts;
  const parts: Part[] = [
    ...(wanted.pulumi ? [pulumi, languageHosts] : []),
    ...(wanted.kind ? [kind] : []),
    ...(wanted.kubectl ? [kubectl] : []),
    ...(wanted.images ? [nodeImage, ingressChart] : []),
    ...(wanted.plugin ? [kubernetesPlugin] : []),
  ];
  return inOrder.filter((part) => parts.includes(part));
}

/** debootstrap makes the node's Debian part; it is fetched only if that is to be made. */
async function bringBuildPackages(parts: Part[], store: Store, say: Say): Promise<void> {
  const { nodeImage } = closedParts;
  if (!parts.includes(nodeImage) || store.has(nodeImage) || !canInstallPackages()) return;
  const missing = missingPackages(buildPackages);
  if (missing.length === 0) return;
  say.line(`installing Debian's ${missing.join(", ")}`);
  await installPackages(missing, fileLog("apt.log"));
}

/** Turns what the builder tells into the lines of this step. */
function show(progress: BuildProgress, say: Say): void {
  switch (progress.kind) {
    case "plan":
      if (progress.make > 0) say.line(`${progress.make} parts to build, ${progress.there} are there`);
      break;
    case "start":
    case "waiting":
      say.now(`${progress.number} of ${progress.of}: ${progress.part.says}`);
      break;
    case "tick":
      say.now(
        progress.running
          .map(
            ({ part, number, seconds }) =>
              `${number} of ${progress.of}: ${part.says}, ${duration(seconds * 1000)}`,
          )
          .join(" · "),
      );
      break;
    case "done":
      say.line(
        `${progress.number} of ${progress.of}: ${progress.part.says}, ${duration(progress.seconds * 1000)}`,
      );
      break;
    case "failed":
      say.line(`${progress.part.says} failed after ${duration(progress.seconds * 1000)}`);
  }
}
