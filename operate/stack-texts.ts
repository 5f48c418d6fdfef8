import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { isMap } from "../components/values-file.ts";
import { settingList } from "../settings/list.ts";
import { CommandError } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";

/**
 * What Pulumi.<stack>.yaml says, each setting as its text under its full key; undefined where there is no such file.
 * Without the settings' rules, which load Pulumi: this has to be quick.
 * @throws CommandError where the file cannot be read
 */
export function stackTexts(stack: string, folder = checkout): Record<string, string> | undefined {
  const name = `Pulumi.${stack}.yaml`;
  const path = join(folder, name);
  if (!existsSync(path)) return undefined;
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
  return Object.fromEntries(texts);
}

/** Vault's host behind the ingress (vault.host), of the stack's file or its default. */
export function hostOf(stack: string): string {
  const { fallback = "" } = settingList["vault.host"];
  return stackTexts(stack)?.["vault-ha:vault.host"] ?? fallback;
}

/** Whether the stack's cluster is somebody else's (cluster.driver existing), by the stack's file. */
export function clusterExists(stack: string): boolean {
  return stackTexts(stack)?.["vault-ha:cluster.driver"] === "existing";
}
