/** How the values of Vault's release differ, and what each difference is about. */
import { isDeepStrictEqual } from "node:util";
import { isMap, type Values } from "../../components/values-file.ts";
import { telemetryAnnotation } from "../../components/vault-telemetry.ts";
import { cause } from "./consequence.ts";

/** One value that differs, by its path in the chart: server.image.tag. */
export interface ValueChange {
  path: string;
  from: unknown;
  to: unknown;
}

/**
 * The single values in which two differ; lists count as one value. A null counts as nothing: Pulumi's state keeps none,
 * and no update comes of one.
 */
export function valueChanges(from: Values, to: Values, at = ""): ValueChange[] {
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) => {
    const [before, after] = [from[key] ?? undefined, to[key] ?? undefined];
    if (isDeepStrictEqual(before, after)) return [];
    if ((isMap(before) || before === undefined) && (isMap(after) || after === undefined))
      return valueChanges(before ?? {}, after ?? {}, `${at}${key}.`);
    return [{ path: at + key, from: before, to: after }];
  });
}

/**
 * What a chart's value is part of.
 * - config: Vault's configuration, in a ConfigMap: a node reads it when it is started.
 * - volumes: the StatefulSet's volumeClaimTemplates, which Kubernetes does not let be changed.
 * - replicas: how many pods there are.
 * - reach: services and rules by which clients reach Vault.
 * - around: objects beside the pods that no client depends on.
 * - pods: the pods' template, and all that is not known to be something else.
 */
export type Part = "config" | "volumes" | "replicas" | "reach" | "around" | "pods";

const parts: [RegExp, Part][] = [
  [/^server\.ha\.raft\.config$/, "config"],
  [/^server\.ha\.replicas$/, "replicas"],
  [/^server\.(data|audit)Storage\.(?!mountPath$)/, "volumes"],
  [/^(ui|server\.(service|ingress))\.([\w-]+\.)*(annotations|labels)(\.|$)/, "around"],
  [/^(ui|server\.(service|ingress|networkPolicy))\./, "reach"],
  [/^server\.(authDelegator|statefulSet\.annotations|persistentVolumeClaimRetentionPolicy)\b/, "around"],
  [/^server\.ha\.disruptionBudget\./, "around"],
  [/^server\.serviceAccount\.(annotations|extraLabels|createSecret|serviceDiscovery)\b/, "around"],
];

/**
 * What a value is part of. The chart writes a hash of the configuration on the pods where
 * server.includeConfigAnnotation is true, so that the configuration is part of their template then.
 */
export function partOf(path: string, { hashesConfig = false } = {}): Part {
  const part = parts.find(([pattern]) => pattern.test(path))?.[1] ?? "pods";
  return part === "config" && hashesConfig ? "pods" : part;
}

/** The settings by which a value is set, where there is one. */
const settings: Record<string, string> = {
  "server.ha.replicas": "vault.replicas",
  "server.dataStorage.size": "vault.storageSize",
  "server.dataStorage.storageClass": "vault.storageClass",
  "server.auditStorage.enabled": "audit.enabled",
  [`server.annotations.${telemetryAnnotation}`]: "telemetry.enabled",
  "server.image.tag": "image",
  "server.image.repository": "image repository",
};

/** A difference in words; Vault's configuration line by line. */
export function causesOf({ path, from, to }: ValueChange): string[] {
  if (partOf(path) === "config" && typeof from === "string" && typeof to === "string")
    return lineChanges(from, to).map((line) => `Vault's configuration: ${line}`);
  if (path === "global.tlsDisable") return [cause("vault.tls.enabled", from === false, to === false)];
  return [cause(settings[path] ?? path, from, to)];
}

/** The lines that are in one text only, without their indentation; at most six of them. */
function lineChanges(from: string, to: string): string[] {
  const lines = (text: string) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  const only = (some: string[], others: string[], sign: string) =>
    some.filter((line) => !others.includes(line)).map((line) => `${sign} ${line.replace(/\s+/g, " ")}`);
  const found = [...only(lines(from), lines(to), "-"), ...only(lines(to), lines(from), "+")];
  return found.length > 6 ? [...found.slice(0, 6), `and ${found.length - 6} lines more`] : found;
}
