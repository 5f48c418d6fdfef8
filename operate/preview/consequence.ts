/** safe: clients notice nothing. disruptive: they do, and no data is lost. destructive: data or keys are lost. */
export type Verdict = "safe" | "disruptive" | "destructive";

/** One thing that comes of an update, in an operator's words. */
export interface Consequence {
  verdict: Verdict;
  says: string;
  /** What causes it, each such as "vault.replicas: 3 -> 5". */
  because: string[];
  /** Why `npm run up` does not do it, and the commands that lead on. Absent: it does. */
  refused?: { why: string; next: string[] };
}

/** A consequence, and the resources whose change it explains. */
export interface Explained extends Consequence {
  covers: string[];
}

/** Which is worse; for sorting, the worst first. */
export const gravity: Record<Verdict, number> = { destructive: 2, disruptive: 1, safe: 0 };

/** Words in a row: "a", "a and b", "a, b and c". */
export function inRow(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** What comes one after the other: "a, then b, then c". */
export const inOrder = (words: readonly string[]): string => words.join(", then ");

/** A change as a cause: "vault.replicas: 3 -> 5". */
export function cause(what: string, from: unknown, to: unknown): string {
  return `${what}: ${short(from)} -> ${short(to)}`;
}

function short(value: unknown): string {
  if (value === undefined || value === null || value === "") return "none";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
