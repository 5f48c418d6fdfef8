import type { Changes } from "./diff.ts";
import type { Value, Values } from "./value.ts";

/** What a resource or function may use while it works. */
export interface Call {
  /** The resource, as the engine names it; empty for a function. */
  urn: string;
  /** The resource's name in the program; empty for a function. */
  name: string;
  /** True when only the outcome is asked for: nothing may be done. */
  preview: boolean;
  /** `customTimeouts` of this operation in seconds; 0 = none. */
  timeoutSeconds: number;
  /** Fires when the update is cancelled or the plug-in is told to end. */
  cancelled: AbortSignal;
  /** Shows a line at the resource while it is the newest one, as the official plug-ins do. Keeps the order. */
  status(line: string): void;
}

/** One property that cannot be as it is, and why. */
export interface Failure {
  property: string;
  reason: string;
}

/** What a change of inputs means for a resource. */
export interface Difference {
  changes: Changes;
  /** True when the change at this path needs a new resource. */
  replaces(path: string): boolean;
}

/** A kind of resource. Values are as the engine sends them, secrets wrapped (see value.ts). */
export interface ResourceKind {
  check(inputs: Values): Failure[];
  diff(at: { oldInputs: Values; inputs: Values }): Difference;
  create(call: Call, inputs: Values): Promise<{ id: string; state: Values }>;
  update(call: Call, at: { state: Values; inputs: Values }): Promise<Values>;
  delete(call: Call, state: Values): Promise<void>;
}

/** A function that a program calls. */
export interface FunctionKind {
  check(args: Values): Failure[];
  invoke(call: Call, args: Values): Promise<Values>;
}

/** A whole plug-in: what it serves by type token, and what it refuses by name. */
export interface Plugin {
  name: string;
  /** The version of the official plug-in whose place it takes. */
  version: string;
  resources: Record<string, ResourceKind>;
  functions: Record<string, FunctionKind>;
}

/** `urn:pulumi:stack::project::parent$type::name` taken apart. */
export function partsOfUrn(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

/** The refusal of something that the official plug-in has and this one has not. */
export function refusal(plugin: Plugin, what: string): string {
  const served = [...Object.keys(plugin.resources), ...Object.keys(plugin.functions)].join(", ");
  return (
    `${what} is not supported by the ${plugin.name} plug-in of this project, which serves networks where the ` +
    `official plug-in cannot be downloaded (it has ${served}). ` +
    `Where it can: pulumi plugin install resource ${plugin.name} ${plugin.version}`
  );
}

/** Drops what is undefined, which the wire cannot carry. */
export function defined(values: { [key: string]: Value | undefined }): Values {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}
