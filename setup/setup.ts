import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { bringClosed } from "./bring-closed.ts";
import { bringEngine } from "./engine.ts";
import { prepareEnvironment, shellEnvironment } from "./environment.ts";
import { local } from "./folders.ts";
import type { Progress } from "./progress.ts";
import { decideWays, type Network, type Ways } from "./reach.ts";
import { bringTools } from "./tools.ts";
import { readTools, type ToolsRecord } from "./tools-record.ts";

/** How many steps of progress `setUp` takes. */
export const SETUP_STEPS = 3;

/** What the set-up did, for a summary. */
export interface SetUp {
  ways: Ways;
  engine: string;
  tools: ToolsRecord;
}

const says: Record<keyof Ways, string> = {
  pulumi: "Pulumi and its plug-ins",
  kubernetes: "kind and kubectl",
  images: "images and charts",
};

/**
 * Brings everything that Pulumi and the program need: the engine, the tools, the images.
 * @param existing the stack's cluster exists, so no engine is needed, but for building images on a closed network
 */
export async function setUp(progress: Progress, network: Network, existing = false): Promise<SetUp> {
  prepareEnvironment();
  const ways = await progress.step("network", async (say) => {
    const found = keepImages(await decideWays(network), network, readTools());
    for (const [group, { way, reason }] of Object.entries(found)) {
      say.line(`${says[group as keyof Ways]}: ${wayWords[way]} (${reason})`);
    }
    return found;
  });
  const needsEngine = !existing || ways.images.way === "closed";
  const engine = await progress.step(
    "Docker engine",
    needsEngine ? bringEngine : async () => "not needed, the cluster exists",
    (words) => words,
  );
  const pulumiHome = shellEnvironment(false).PULUMI_HOME ?? local.pulumiHome;
  const tools = await progress.step(
    "tools",
    (say) =>
      bringTools({ ways, forcedClosed: network === "closed", pulumiHome, closedWay: bringClosed }, say),
    ({ programs }) =>
      Object.entries(programs)
        .map(([name, { version, from }]) => `${name} ${version} (${from})`)
        .join(", "),
  );
  return { ways, engine, tools };
}

const wayWords = { official: "from their makers", closed: "built from package registries" } as const;

/**
 * A cluster keeps the images it was made with: were they to change when the network does, the next `up`
 * would replace the cluster, and Vault with it. `--network` changes them all the same.
 */
export function keepImages(ways: Ways, network: Network, last: ToolsRecord | undefined): Ways {
  const kept = last?.images;
  if (network !== "auto" || !kept || kept === ways.images.way || !clusterStands()) return ways;
  const reason = `the cluster that stands was made so; to change: npm run down, or --network ${ways.images.way}`;
  return { ...ways, images: { way: kept, reason } };
}

/** Whether a stack of this checkout has a cluster: its kubeconfig is there from its begin to its end. */
function clusterStands(): boolean {
  if (!existsSync(local.stacks)) return false;
  return readdirSync(local.stacks).some((stack) => existsSync(join(local.stacks, stack, "kubeconfig")));
}
