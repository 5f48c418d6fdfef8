import { equal, hasValue, isSigned, type Value, type Values } from "./value.ts";

/** What happens to one property. */
export type Change = "add" | "delete" | "update";
/** Property path ("environment.HOME", "triggers[0]") to what happens there. */
export type Changes = Map<string, Change>;

/**
 * The leaves in which two sets of properties differ, the way Pulumi's own property diff finds them
 * (pulumi/pulumi, sdk/go/common/resource/properties_diff.go): lists are compared position by position, and a
 * value that became secret has changed.
 */
export function changesBetween(old: Values, now: Values): Changes {
  const changes: Changes = new Map();
  compareObjects("", old, now, changes);
  return changes;
}

function compareObjects(path: string, old: Values, now: Values, changes: Changes): void {
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    compare(join(path, key), old[key], now[key], changes);
  }
}

function compare(path: string, old: Value | undefined, now: Value | undefined, changes: Changes): void {
  if (!hasValue(old)) {
    if (hasValue(now)) changes.set(path, "add");
  } else if (!hasValue(now)) {
    changes.set(path, "delete");
  } else if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    for (let at = 0; at < length; at++) compare(`${path}[${at}]`, old[at], now[at], changes);
  } else if (isTree(old) && isTree(now)) {
    compareObjects(path, old, now, changes);
  } else if (!equal(old, now)) {
    changes.set(path, "update");
  }
}

function isTree(value: Value): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isSigned(value);
}

/** As pulumi/pulumi writes a path (v3.215.0, sdk/go/common/resource/properties_path.go). */
function join(path: string, key: string): string {
  if (!/^\w+$/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The property of the resource in which a path lies: "triggers" of "triggers[0].name". */
export function rootOf(path: string): string {
  const quoted = /^\["((?:\\"|[^"])*)"\]/.exec(path);
  return quoted?.[1]?.replaceAll('\\"', '"') ?? path.replace(/[.[].*$/s, "");
}
