/** What a preview proposes, as plain data. */
import { z } from "zod";
import { isMap, type Values } from "../../components/values-file.ts";

/** A resource that an update would make, change, put another in the place of, or delete. */
export interface Change {
  op: "create" | "update" | "replace" | "delete";
  /** Its name in the program, such as vault-release. */
  name: string;
  /** Such as kubernetes:helm.sh/v3:Release. */
  type: string;
  /** Its inputs as the state has them, and as the program has them now. A secret is the text "[secret]". */
  before: Values;
  after: Values;
  /** Paths of the inputs that differ, such as values.server.image.tag. */
  differing: string[];
  /** Deleted means forgotten: what it stands for stays (Pulumi's retainOnDelete). */
  retained: boolean;
}

/** What `pulumi preview --json` answers, as far as it is used. */
export interface Preview {
  /** The stack's settings by their full keys, as the program got them. */
  config: Record<string, string>;
  changes: Change[];
}

/** What stands for a value that is known only once the update runs (Pulumi's UnknownStringValue). */
export const computed = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const State = z.object({
  type: z.string(),
  /** A component has none: it stands for nothing outside. */
  custom: z.boolean().optional(),
  retainOnDelete: z.boolean().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
});

const Digest = z.object({
  config: z.record(z.string(), z.unknown()).optional(),
  steps: z
    .array(
      z.object({
        op: z.string(),
        urn: z.string(),
        oldState: State.optional(),
        newState: State.optional(),
        detailedDiff: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .optional(),
});

/** Reads a preview's JSON. Throws where it is none. */
export function readPreview(text: string): Preview {
  const { config = {}, steps = [] } = Digest.parse(JSON.parse(text));
  const changes = new Map<string, Change>();
  for (const { op, urn, oldState, newState, detailedDiff } of steps) {
    const kind = kindOf(op);
    const state = newState ?? oldState;
    // One that is replaced comes in up to three steps; the first has all.
    if (kind === undefined || state?.custom !== true || changes.has(urn)) continue;
    changes.set(urn, {
      op: kind,
      name: urn.split("::").at(-1) ?? urn,
      type: state.type,
      before: oldState?.inputs ?? {},
      after: newState?.inputs ?? {},
      differing: Object.keys(detailedDiff ?? {}),
      retained: oldState?.retainOnDelete ?? false,
    });
  }
  const settings = Object.entries(config).map(([key, value]) => [
    key,
    isMap(value) || Array.isArray(value) ? JSON.stringify(value) : String(value),
  ]);
  return { config: Object.fromEntries(settings), changes: [...changes.values()] };
}

/** undefined for what changes nothing. An operation that Pulumi has added since counts as an update. */
function kindOf(op: string): Change["op"] | undefined {
  if (op === "same" || op === "read" || op === "refresh") return undefined;
  if (op.includes("replace")) return "replace";
  if (/delete|discard|remove/.test(op)) return "delete";
  return op === "create" || op === "import" ? "create" : "update";
}
