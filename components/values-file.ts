/** Reads a file of Helm values the way Helm does, and lays one over another. */
import { readFileSync } from "node:fs";
import { parseDocument, type Tags } from "yaml";

/** Helm values: what a YAML file holds, by key. */
export type Values = Record<string, unknown>;

/**
 * Helm reads YAML 1.1 without its dates and base-60 numbers: `on` is true and `0400` is octal
 * (file modes), but `2026-01-01` and `1:30` are texts.
 */
const asHelm = {
  version: "1.1" as const,
  customTags: (tags: Tags) =>
    tags.filter(
      (tag) =>
        typeof tag === "string" ||
        (!("format" in tag && tag.format === "TIME") && !tag.tag.endsWith(":timestamp")),
    ),
};

/** The values in a file; with any problem (one message each, with the line) the values are empty. */
export function readValuesFile(path: string): { values: Values; problems: string[] } {
  const refuse = (...problems: string[]) => ({ values: {}, problems });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(
      code === "ENOENT"
        ? `${path}: there is no such file.\n    Write it, or do without: pulumi config rm vault.valuesFile`
        : `${path}: the file cannot be read (${code}).\n    ls -l ${path}`,
    );
  }
  const document = parseDocument(text, asHelm);
  if (document.errors.length > 0)
    return refuse(...document.errors.map(({ message }) => `${path}: not valid YAML: ${message.trimEnd()}`));
  const values: unknown = document.toJS() ?? {};
  if (!isMap(values))
    return refuse(`${path}: ${show(values)} was found where keys with values belong, such as server:`);
  return { values, problems: [] };
}

/**
 * `over` laid over `base`: maps key by key, everything else, lists too, replaced as a whole.
 * Nothing, or a single value, in place of a map of `base` is a problem: to Helm it would remove the whole map.
 */
export function mergeValues(
  base: Values,
  over: Values,
  file: string,
  at = "",
): { values: Values; problems: string[] } {
  const values = { ...base };
  const problems: string[] = [];
  for (const [key, above] of Object.entries(over)) {
    const below = base[key];
    const path = at + key;
    if (isMap(below) && isMap(above)) {
      const inner = mergeValues(below, above, file, `${path}.`);
      values[key] = inner.values;
      problems.push(...inner.problems);
    } else if (isMap(below) && Object.keys(below).length > 0) {
      const what = above === null ? "has nothing under it" : `is ${show(above)}`;
      problems.push(
        `${file}: ${path} ${what}. That would remove every value under it: ${Object.keys(below).join(", ")}.\n    Remove the line, or put keys under it.`,
      );
    } else values[key] = above;
  }
  return { values, problems };
}

/** The value at `server.ha.replicas` and the like; undefined where there is none. */
export function valueAt(values: Values, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => (isMap(inner) ? inner[key] : undefined), values);
}

/** A copy of `values` with one value set, and the maps that lead to it made where they are missing. */
export function withValue(values: Values, path: string, value: unknown): Values {
  const [key = "", ...rest] = path.split(".");
  if (rest.length === 0) return { ...values, [key]: value };
  const inner = values[key];
  return { ...values, [key]: withValue(isMap(inner) ? inner : {}, rest.join("."), value) };
}

/** A value as a message shows it, short. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "empty";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
