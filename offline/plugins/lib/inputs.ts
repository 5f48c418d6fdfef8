import { z } from "zod";
import type { Failure } from "./plugin.ts";
import { plain, UNKNOWN, type Values } from "./value.ts";

/** The same schema, which also takes a value that is not known before the update. */
export function orUnknown<T extends z.ZodType>(schema: T) {
  return z.union([z.custom<typeof UNKNOWN>((value) => value === UNKNOWN), schema]);
}

/** All that is wrong with the inputs, one failure a property, by the official plug-ins' words where they have some. */
export function failuresOf(schema: z.ZodType, type: string, inputs: Values): Failure[] {
  const parsed = schema.safeParse(plain(inputs), { reportInput: false });
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue): Failure[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ property: key, reason: `Unrecognized field '${key}' on '${type}'` }));
    }
    const property = issue.path.map(String).join(".");
    if (!(issue.path[0] !== undefined && issue.path[0] in inputs) && issue.code !== "custom") {
      return [{ property, reason: `Missing required field '${property}' on '${type}'` }];
    }
    return [{ property, reason: `Field '${property}' on '${type}': ${messageOf(issue)}` }];
  });
}

/** A union with "unknown" says only "Invalid input"; what a user needs is the other side's message. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union") return issue.message;
  const messages = issue.errors.flat().map((inner) => messageOf(inner));
  return messages.find((message) => message !== "Invalid input") ?? issue.message;
}

/** The inputs as plain typed values. Only after a check without failures, and never in a preview. */
export function known<T>(schema: z.ZodType<T>, inputs: Values): T {
  return schema.parse(plain(inputs));
}
