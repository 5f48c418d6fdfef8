import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { cacheDir } from "../offline/lib/cache-dir.ts";
import { findProgram } from "./find-program.ts";
import { checkout, local } from "./folders.ts";
import { fits, fitting } from "./versions.ts";

/** A program that the set-up found or brought. */
export interface Program {
  path: string;
  version: string;
  /** For people: "PATH", "get.pulumi.com". */
  from: string;
}

/** Programs that may come from PATH. */
export type Tool = keyof typeof fitting;

/** What was found on PATH, and why the rest was not taken. */
export interface Found {
  programs: Partial<Record<Tool, Program>>;
  /** One line for each program that is there and does not fit. */
  refused: string[];
}

const versionArguments: Record<Tool, string[]> = {
  pulumi: ["version"],
  kind: ["version"],
  kubectl: ["version", "--client"],
};

/** Looks for the tools on the user's own PATH, without what an earlier set-up put there. */
export async function lookOnPath(path = process.env.PATH ?? ""): Promise<Found> {
  const own = path.split(delimiter).filter((folder) => folder !== local.bin && !folder.startsWith(checkout));
  const found: Found = { programs: {}, refused: [] };
  await Promise.all(
    (Object.keys(versionArguments) as Tool[]).map(async (tool) => {
      const file = findProgram(tool, own.join(delimiter));
      if (!file) return;
      const version = await versionOf(tool, file);
      const problem = version ? whyNot(tool, file, version) : "does not say its version";
      if (version && !problem) found.programs[tool] = { path: file, version, from: "PATH" };
      else found.refused.push(`${file} ${problem}`);
    }),
  );
  return found;
}

/** The version a program says it has, without the v; undefined if it says none. */
export async function versionOf(tool: Tool, file: string): Promise<string | undefined> {
  const { stdout } = await execa(file, versionArguments[tool], {
    // Some builds of kubectl look at a server even for their own version, and keep what it said in ~/.kube.
    env: { PULUMI_SKIP_UPDATE_CHECK: "true", KUBECACHEDIR: join(cacheDir(), "kube") },
    reject: false,
    timeout: 10_000,
    stdin: "ignore",
  });
  return /v?(\d+\.\d+\.\d+\S*)/.exec(stdout ?? "")?.[1];
}

function whyNot(tool: Tool, file: string, version: string): string | undefined {
  const range = fitting[tool];
  if (!fits(version, range)) return `is ${version}; fitting are ${range.from} up to ${range.below}`;
  if (tool === "pulumi" && !languageHost(file)) return "has no pulumi-language-nodejs beside it";
  return undefined;
}

/** Pulumi's host for Node programs, which every install of Pulumi has beside the CLI. */
export function languageHost(pulumi: string): string | undefined {
  const file = join(dirname(realpathSync(pulumi)), "pulumi-language-nodejs");
  return existsSync(file) ? file : undefined;
}
