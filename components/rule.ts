/** What a stack's own Helm values may not change. */
import type { Values } from "./values-file.ts";

export interface Rule {
  key: string;
  /** Whether this value, found in a stack's own file, can stay; `all` is everything together. */
  allowed: (value: unknown, all: Values) => boolean;
  /** The chart's own default is another one, so the key cannot be left out either. */
  mustBeSet?: boolean;
  why: string;
  instead: string;
}

/** For a rule: these values and no others. */
export const only =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);

/** What to do instead, for a key that the stack does not need. */
export const remove = "Remove the key.";
