import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { local } from "./folders.ts";

/** The way a part came: from its makers' own site, or built from package registries. */
export type Way = "official" | "closed";

const way = z.enum(["official", "closed"]);
const record = z.object({
  /** Where the plug-ins of Pulumi come from. */
  plugins: way,
  /** Where images and charts come from. */
  images: way,
  /** The programs that `.local/bin` links to, by name. */
  programs: z.record(z.string(), z.object({ path: z.string(), version: z.string(), from: z.string() })),
});

/** What the last set-up brought. */
export type ToolsRecord = z.infer<typeof record>;

/** The record of the last set-up; undefined if there was none or what it names is gone. */
export function readTools(): ToolsRecord | undefined {
  if (!existsSync(local.tools)) return undefined;
  const read = record.safeParse(JSON.parse(readFileSync(local.tools, "utf8")));
  if (!read.success) return undefined;
  const gone = Object.values(read.data.programs).some(({ path }) => !existsSync(path));
  return gone ? undefined : read.data;
}

/** Keeps what this set-up brought, for commands that only use it. */
export function writeTools(tools: ToolsRecord): void {
  writeJson(local.tools, tools);
}

/** Writes a JSON file whole or not at all. */
export function writeJson(file: string, value: unknown): void {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}
