import type { z } from "zod";
import { changesBetween } from "../lib/diff.ts";
import { failuresOf, known } from "../lib/inputs.ts";
import { defined, type ResourceKind } from "../lib/plugin.ts";
import { plain, unknown, type Value, type Values } from "../lib/value.ts";

/** A resource whose outputs are made once, by chance, and stay until an input changes. */
interface Generated<Inputs> {
  type: string;
  inputs: z.ZodType;
  /** The inputs when they are all known. */
  settings: z.ZodType<Inputs>;
  /** What an absent input stands for; state holds it. Secret wrappings stay where they are. */
  withDefaults(inputs: Values): { [key: string]: Value | undefined };
  /** Outputs that only creation can tell. */
  outputs: string[];
  make(inputs: Inputs): { id: string; outputs: Values };
  /** False where a change is taken over without a new value. */
  replaces?(path: string, old: Value | undefined, now: Value | undefined): boolean;
}

/**
 * A kind of resource of the random plug-in. As in terraform-provider-random, on which the official plug-in stands,
 * every input replaces; inputs are compared with their defaults filled in, so that writing a default out is no
 * change; and an element of keepers that is null is as good as none (internal/planmodifiers/map).
 */
export function generated<Inputs>(kind: Generated<Inputs>): ResourceKind {
  const complete = (inputs: Values): Values => {
    const keepers = plain(inputs.keepers ?? null);
    const none =
      keepers !== null && typeof keepers === "object" && Object.values(keepers).every((v) => v === null);
    return defined({ ...kind.withDefaults(inputs), keepers: none ? undefined : inputs.keepers });
  };
  return {
    check: (inputs) => failuresOf(kind.inputs, kind.type, inputs),

    diff: ({ oldInputs, inputs }) => {
      const [old, now] = [complete(oldInputs), complete(inputs)];
      return {
        changes: changesBetween(old, now),
        replaces: (path) => kind.replaces?.(path, old[path], now[path]) ?? true,
      };
    },

    create: async (call, inputs) => {
      const state = complete(inputs);
      if (call.preview) {
        return {
          id: "",
          state: { ...state, ...Object.fromEntries(kind.outputs.map((key) => [key, unknown])) },
        };
      }
      const { id, outputs } = kind.make(known(kind.settings, state));
      return { id, state: { ...state, ...outputs } };
    },

    update: async (_call, { state, inputs }) => {
      const kept = Object.fromEntries(kind.outputs.map((key) => [key, state[key]]));
      return defined({ ...complete(inputs), ...kept });
    },

    delete: async () => {},
  };
}
