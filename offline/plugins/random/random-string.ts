import { randomInt } from "node:crypto";
import { z } from "zod";
import { orUnknown } from "../lib/inputs.ts";
import type { Value, Values } from "../lib/value.ts";
import { generated } from "./generated.ts";
import { keepers } from "./keepers.ts";

const count = orUnknown(z.int().min(0)).optional();
const flag = orUnknown(z.boolean()).optional();

const inputs = z
  .strictObject({
    keepers,
    length: orUnknown(z.int().min(1)),
    lower: flag,
    upper: flag,
    number: flag,
    numeric: flag,
    special: flag,
    minLower: count,
    minUpper: count,
    minNumeric: count,
    minSpecial: count,
    overrideSpecial: orUnknown(z.string()).optional(),
  })
  .superRefine((given, context) => {
    const minima = [given.minLower, given.minUpper, given.minNumeric, given.minSpecial];
    const least = minima.reduce<number>((sum, part) => sum + (typeof part === "number" ? part : 0), 0);
    if (typeof given.length === "number" && given.length < least) {
      context.addIssue({
        code: "custom",
        path: ["length"],
        message: `must be at least sum of minUpper + minLower + minNumeric + minSpecial (${least}), got: ${given.length}`,
      });
    }
    if (
      typeof given.number === "boolean" &&
      typeof given.numeric === "boolean" &&
      given.number !== given.numeric
    ) {
      context.addIssue({
        code: "custom",
        path: ["number"],
        message:
          "Number and numeric are both configured with different values: number is deprecated, use numeric",
      });
    }
    const numeric = given.numeric ?? given.number;
    if ([given.special, given.upper, given.lower, numeric].every((part) => part === false)) {
      context.addIssue({
        code: "custom",
        path: ["special"],
        message: "At least one attribute out of special, upper, lower, numeric must be specified as true",
      });
    }
  });

const settings = z.object({
  length: z.number(),
  lower: z.boolean(),
  upper: z.boolean(),
  numeric: z.boolean(),
  special: z.boolean(),
  minLower: z.number(),
  minUpper: z.number(),
  minNumeric: z.number(),
  minSpecial: z.number(),
  overrideSpecial: z.string().optional(),
});

/** random:index/randomString:RandomString (terraform-provider-random, internal/provider/resource_string.go). */
export const randomString = generated({
  type: "random:index/randomString:RandomString",
  inputs,
  settings,
  outputs: ["result"],
  withDefaults: (given: Values) => {
    const numeric = given.numeric ?? given.number ?? true;
    return {
      length: given.length,
      lower: given.lower ?? true,
      upper: given.upper ?? true,
      special: given.special ?? true,
      number: numeric,
      numeric,
      minLower: given.minLower ?? 0,
      minUpper: given.minUpper ?? 0,
      minNumeric: given.minNumeric ?? 0,
      minSpecial: given.minSpecial ?? 0,
      overrideSpecial: given.overrideSpecial,
    };
  },
  make: (given) => {
    const result = randomText(given);
    return { id: result, outputs: { result } };
  },
  // An empty overrideSpecial that goes is no other string (internal/planmodifiers/string).
  replaces: (path: string, old: Value | undefined, now: Value | undefined) =>
    path !== "overrideSpecial" || old !== "" || now !== undefined,
});

/** Characters by chance (internal/random/string.go): the wanted minimum of each class, the rest of all, mixed. */
function randomText(given: z.infer<typeof settings>): string {
  const classes = [
    { characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", wanted: given.upper, least: given.minUpper },
    { characters: "abcdefghijklmnopqrstuvwxyz", wanted: given.lower, least: given.minLower },
    { characters: "0123456789", wanted: given.numeric, least: given.minNumeric },
    {
      characters: given.overrideSpecial || "!@#$%&*()-_=+[]{}<>:?",
      wanted: given.special,
      least: given.minSpecial,
    },
  ];
  const text = classes.flatMap(({ characters, least }) => pick(characters, least));
  const all = classes.filter(({ wanted }) => wanted).map(({ characters }) => characters);
  return shuffled([...text, ...pick(all.join(""), given.length - text.length)]).join("");
}

function pick(characters: string, howMany: number): string[] {
  const set = Array.from(characters);
  return Array.from({ length: howMany }, () => set[randomInt(set.length)] ?? "");
}

function shuffled<T>(items: T[]): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(randomInt(left.length), 1));
}
