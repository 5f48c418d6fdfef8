import { access, mkdir, mkdtemp, open, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { commandPlugin } from "./command/plugin.ts";
import type { Plugin } from "./lib/plugin.ts";
import { randomPlugin } from "./random/plugin.ts";

/** A plug-in's place in PULUMI_HOME, and whose it is. */
export interface InstalledPlugin {
  name: string;
  version: string;
  /** "official": it was there and was left alone. "project": the engine will start this project's own. */
  taken: "official" | "project";
  folder: string;
}

/** Stands in the starter of a plug-in of this project; no official plug-in, a binary, begins with it. */
const marker = "# vault-ha: plug-in served by a checkout of this project";

const plugins: { plugin: Plugin; main: string }[] = [
  { plugin: commandPlugin, main: resolve(import.meta.dirname, "command", "main.ts") },
  { plugin: randomPlugin, main: resolve(import.meta.dirname, "random", "main.ts") },
];

/**
 * Puts the project's command and random plug-ins where the engine looks for them, except where an official one
 * stands. Can be run again at any time, also while another run does the same.
 *
 * @param pulumiHome  PULUMI_HOME.
 * @param node        the Node that runs the plug-ins: its absolute path.
 */
export async function installPlugins(at: { pulumiHome: string; node: string }): Promise<InstalledPlugin[]> {
  return Promise.all(
    plugins.map(async ({ plugin: { name, version }, main }) => {
      const folder = join(at.pulumiHome, "plugins", `resource-${name}-v${version}`);
      const program = `pulumi-resource-${name}`;
      const taken = (await isOfficial(folder, program)) ? "official" : "project";
      if (taken === "project") await putStarter(folder, program, starter(at.node, main));
      return { name, version, taken, folder };
    }),
  );
}

/** An official plug-in whose download was cut off has a `.partial` file beside it and is no plug-in. */
async function isOfficial(folder: string, program: string): Promise<boolean> {
  const beginning = await firstBytes(join(folder, program));
  return beginning !== undefined && !beginning.includes(marker) && !(await exists(`${folder}.partial`));
}

async function firstBytes(path: string): Promise<Buffer | undefined> {
  const file = await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(256) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function starter(node: string, main: string): string {
  return `#!/bin/sh\n${marker}\nexec ${shellQuote(node)} ${shellQuote(main)} "$@"\n`;
}

/** Writes the starter beside and renames it, so that the engine sees a whole one or none. */
async function putStarter(folder: string, program: string, text: string): Promise<void> {
  const parent = join(folder, "..");
  await mkdir(parent, { recursive: true });
  const scratch = await mkdtemp(join(parent, ".vault-ha-"));
  try {
    const whole = join(scratch, "plugin");
    await mkdir(whole);
    await writeFile(join(whole, program), text, { mode: 0o755 });
    // Where the folder is already there, and not empty, only the starter in it is replaced.
    await rename(whole, folder).catch(() => rename(join(whole, program), join(folder, program)));
    await rm(`${folder}.partial`, { force: true });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
