import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { installPlugins } from "../offline/plugins/install.ts";
import type { ClosedWay, Wanted } from "./closed.ts";
import { checkout, local } from "./folders.ts";
import { putLink, putProgram } from "./links.ts";
import { officialKind, officialKubectl, officialPulumi } from "./official.ts";
import { lookOnPath, type Program, type Tool, versionOf } from "./path-programs.ts";
import type { Say } from "./progress.ts";
import type { Ways } from "./reach.ts";
import { type ToolsRecord, type Way, writeJson, writeTools } from "./tools-record.ts";

/** What bringTools works with; the defaults are the real ones. */
export interface ToolsOptions {
  ways: Ways;
  /** The closed way was asked for: what is on PATH is not taken either. */
  forcedClosed: boolean;
  pulumiHome: string;
  closedWay: ClosedWay;
  official?: Record<
    Tool,
    (onProgress: (bytes: number, total: number | undefined) => void) => Promise<string>
  >;
}

const groupOf = { pulumi: "pulumi", kind: "kubernetes", kubectl: "kubernetes" } as const;
const hostOf: Record<Tool, string> = { pulumi: "get.pulumi.com", kind: "github.com", kubectl: "dl.k8s.io" };
const tools = Object.keys(groupOf) as Tool[];

/**
 * Brings the tools and links them into `.local/bin`: from PATH where a fitting one is, else each group the
 * way it goes; then the plug-ins, and what the program is to know about images and charts.
 */
export async function bringTools(options: ToolsOptions, say: Say): Promise<ToolsRecord> {
  const { ways, forcedClosed } = options;
  const onPath = forcedClosed ? { programs: {}, refused: [] } : await lookOnPath();
  for (const refusal of onPath.refused) say.line(`not taken: ${refusal}`);
  const fromPath: Partial<Record<Tool, Program>> = onPath.programs;
  const needed = (tool: Tool, way: Way) => !fromPath[tool] && ways[groupOf[tool]].way === way;

  const official = tools.filter((tool) => needed(tool, "official"));
  const downloads = await Promise.all(
    official.map(async (tool) => [tool, await downloadOfficial(tool, options, say)] as const),
  );
  const wanted: Wanted = {
    pulumi: needed("pulumi", "closed"),
    kind: needed("kind", "closed"),
    kubectl: needed("kubectl", "closed"),
    plugin: ways.pulumi.way === "closed",
    images: ways.images.way === "closed",
  };
  const built = Object.values(wanted).some(Boolean) ? await options.closedWay(wanted, say) : {};
  const programs: Partial<Record<Tool, Program>> = {
    ...built,
    ...Object.fromEntries(downloads),
    ...fromPath,
  };

  const record: ToolsRecord = { plugins: ways.pulumi.way, images: ways.images.way, programs: {} };
  for (const tool of tools) {
    const program = programs[tool];
    if (!program) throw new Error(`The set-up ended without ${tool}. Try: npm run setup`);
    record.programs[tool] = program;
    (tool === "pulumi" ? putProgram : putLink)(join(local.bin, tool), program.path);
  }
  linkCompanions(built.languageHosts ?? dirname(realpathSync(record.programs.pulumi?.path ?? "")));
  await placePlugins(options, built.plugin);
  if (built.sources) writeJson(local.sources, built.sources);
  else rmSync(local.sources, { force: true });
  writeTools(record);
  return record;
}

async function downloadOfficial(tool: Tool, options: ToolsOptions, say: Say): Promise<Program> {
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const onProgress = (bytes: number, total: number | undefined) =>
    say.now(`${tool} ${megabytes(bytes)}${total ? ` of ${megabytes(total)}` : ""} MB`);
  const get = options.official?.[tool] ?? officialDownloads[tool];
  const path = await get(onProgress);
  return { path, version: (await versionOf(tool, path)) ?? "unknown", from: hostOf[tool] };
}

const officialDownloads: NonNullable<ToolsOptions["official"]> = {
  pulumi: () => officialPulumi(),
  kind: (onProgress) => officialKind({ onProgress }),
  kubectl: (onProgress) => officialKubectl({ onProgress }),
};

/** Puts beside the Pulumi CLI what it looks for there: its host for Node programs, that of policies, and Node. */
function linkCompanions(hosts: string): void {
  putLink(join(local.bin, "node"), join(checkout, "node_modules/node/bin/node"));
  putProgram(join(local.bin, "pulumi-language-nodejs"), join(hosts, "pulumi-language-nodejs"));
  const policy = join(hosts, "pulumi-analyzer-policy");
  if (existsSync(policy)) putProgram(join(local.bin, "pulumi-analyzer-policy"), policy);
}

/** Puts our plug-ins where Pulumi looks for them, or takes them away where it fetches the official ones. */
async function placePlugins(
  { ways, pulumiHome }: ToolsOptions,
  kubernetes: { path: string; version: string } | undefined,
): Promise<void> {
  const folder = (name: string, version: string) =>
    join(pulumiHome, "plugins", `resource-${name}-v${version}`);
  if (ways.pulumi.way === "closed") {
    await installPlugins({ pulumiHome, node: join(local.bin, "node") });
    if (!kubernetes) throw new Error("The set-up ended without the Kubernetes plug-in. Try: npm run setup");
    putLink(join(folder("kubernetes", kubernetes.version), "pulumi-resource-kubernetes"), kubernetes.path);
    return;
  }
  for (const [name, version] of [
    ["command", packageVersion("command")],
    ["random", packageVersion("random")],
  ] as const) {
    const program = join(folder(name, version), `pulumi-resource-${name}`);
    // An official plug-in is a binary; ours begins as a script.
    if (existsSync(program) && readFileSync(program).subarray(0, 2).toString() === "#!") {
      rmSync(dirname(program), { recursive: true });
    }
  }
}

function packageVersion(name: string): string {
  const file = join(checkout, "node_modules/@pulumi", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
