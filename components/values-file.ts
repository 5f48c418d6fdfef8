/** Reads a file of Helm values the way Helm does, and lays one over another. */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parseDocument, type Tags } from "yaml";
import { shellWord } from "../setup/shell-word.ts";

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

/**
 * The values in a file; with any problem (one message each, with the line) the values are empty.
 * `setting` is the one that names the file, for the command that does without it.
 */
export function readValuesFile(
  path: string,
  setting = "vault.valuesFile",
): { values: Values; problems: string[] } {
  const without = `pulumi config rm ${setting}`;
  const refuse = (...problems: string[]) => ({
    values: {},
    problems: problems.map((problem) => `${path}: ${problem}`),
  });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(
      code === "ENOENT"
        ? `there is no such file.\n    Write it, or do without: ${without}`
        : `the file cannot be read (${code}).\n    ls -l ${shellWord(path)}`,
    );
  }
  const mend = `\n    Mend the file, or do without: ${without}`;
  const read = parseYaml(text);
  if (read.problems.length > 0)
    return refuse(...read.problems.map((problem) => `not valid YAML: ${problem}${mend}`));
  const values = read.content ?? {};
  const odd = oddities(values);
  if (odd.length > 0) return refuse(...odd.map((oddity) => `${oddity}\n    Remove it.`));
  if (!isMap(values)) return refuse(`${show(values)} was found where keys with values belong.${mend}`);
  return { values, problems: [] };
}

/** What a text of YAML holds, or every problem in the parser's words, with the line where it knows one. */
function parseYaml(text: string): { content?: unknown; problems: string[] } {
  try {
    const document = parseDocument(text, asHelm);
    const problems = document.errors.map(({ message }) => inWords(message));
    return problems.length > 0 ? { problems } : { content: document.toJS(), problems };
  } catch (error) {
    // Aliases are resolved in toJS only; and both work through nested values by calling themselves.
    return { problems: [inWords((error as Error).message)] };
  }
}

const inWords = (message: string) =>
  message.trimEnd().replace("Maximum call stack size exceeded", "it is nested too deep");

/** Deeper than any chart's values. */
const deepest = 100;

/** What YAML can say and Helm's values cannot, each with its place: a loop of aliases, a set, bytes, infinity. */
function oddities(value: unknown, at = "", above: readonly unknown[] = []): string[] {
  const place = at === "" ? "it" : show(at);
  if (typeof value === "number" && !Number.isFinite(value)) return [`${place} is no number that Helm knows.`];
  if (typeof value !== "object" || value === null) return [];
  if (above.includes(value)) return [`${place} is an alias of what it stands in, so it has no end.`];
  if (above.length > deepest) return [`${place} is nested too deep.`];
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype)
    return [`${place} is of a kind that Helm's values do not have.`];
  return Object.entries(value).flatMap(([key, inner]) =>
    // Every object of JavaScript has these; a text in their place stops Pulumi without a word.
    key in Object.prototype
      ? [`${place} has the key ${key}, which no chart has.`]
      : oddities(inner, at === "" ? key : `${at}.${key}`, [...above, value]),
  );
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

/** The single values in which `to` differs from `from`, by path. */
export function changes(from: Values, to: Values, at = ""): [path: string, value: unknown][] {
  return Object.entries(to).flatMap(([key, value]): [string, unknown][] => {
    const below = from[key];
    if (isDeepStrictEqual(below, value)) return [];
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [[at + key, value]];
    return changes((below ?? {}) as Values, value as Values, `${at}${key}.`);
  });
}

/** A value as a message shows it, short. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "empty";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Whether a value is a map, as Helm means it. */
export function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
