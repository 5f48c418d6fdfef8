import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { type Settings, settingsOf } from "../config.ts";
import { CommandError } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";

/** A stack's settings as its file has them, and whether there is such a file; without one, the defaults. */
export interface StackFile {
  settings: Settings;
  exists: boolean;
}

/**
 * Reads Pulumi.<stack>.yaml without Pulumi, so also before the tools are there. Throws one error that lists
 * every problem.
 */
export function readStackFile(stack: string, folder = checkout): StackFile {
  const name = `Pulumi.${stack}.yaml`;
  const path = join(folder, name);
  if (!existsSync(path)) return { settings: settingsOf(stack, {}), exists: false };
  const document = parseDocument(readFileSync(path, "utf8"));
  const file: unknown = document.errors.length === 0 ? document.toJS() : undefined;
  const config = isMap(file) ? (file.config ?? {}) : undefined;
  if (!isMap(config)) {
    const why = document.errors[0]?.message.trimEnd() ?? "it needs keys under config:";
    throw new CommandError(`${name} cannot be read: ${why}\n  git diff ${name}`);
  }
  // Pulumi gives a program every value as a text; what is no scalar, as JSON.
  const texts = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  return { settings: settingsOf(stack, Object.fromEntries(texts)), exists: true };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
