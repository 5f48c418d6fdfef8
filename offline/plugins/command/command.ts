import { randomBytes } from "node:crypto";
import { z } from "zod";
import { changesBetween } from "../lib/diff.ts";
import { failuresOf, known } from "../lib/inputs.ts";
import type { Call, ResourceKind } from "../lib/plugin.ts";
import { equal, isUnknown, unknown, type Values } from "../lib/value.ts";
import { commandInputs, runSettings } from "./inputs.ts";
import { type Output, run } from "./run.ts";

const noOutput: Output = { stdout: "", stderr: "" };
const storedOutput = z.object({ stdout: z.string(), stderr: z.string() });

/**
 * command:local:Command, as the official plug-in has it (pulumi/pulumi-command v1.2.1,
 * provider/pkg/provider/local/commandController.go).
 */
export const command: ResourceKind = {
  check: (inputs) => failuresOf(commandInputs, "command:local:Command", inputs),

  diff: ({ oldInputs, inputs }) => ({
    changes: changesBetween(oldInputs, inputs),
    // Triggers that come or go. That a changed element replaces as well, the SDK asks of the engine
    // (replaceOnChanges: triggers[*]).
    replaces: (path) => path === "triggers",
  }),

  create: async (call, inputs) => {
    if (call.preview) return { id: "", state: { ...inputs, stdout: unknown, stderr: unknown } };
    const id = call.name + randomBytes(4).toString("hex");
    return { id, state: { ...inputs, ...(await execute(call, inputs, inputs.create, noOutput)) } };
  },

  update: async (call, { state, inputs }) => {
    if (call.preview) return { ...inputs, ...previewedOutput(state, inputs) };
    const previous = known(storedOutput, state);
    return { ...inputs, ...(await execute(call, inputs, inputs.update ?? inputs.create, previous)) };
  },

  delete: async (call, state) => {
    await execute(call, state, state.delete, known(storedOutput, state));
  },
};

/** Runs the text, if there is one; without one the output stays what it was. */
async function execute(
  call: Call,
  inputs: Values,
  text: Values[string] | undefined,
  previous: Output,
): Promise<Output> {
  if (text === undefined || text === null) return previous;
  return run(
    call,
    known(z.object({ text: z.string() }), { text }).text,
    known(runSettings, inputs),
    previous,
  );
}

/**
 * The output that a preview shows for an update: known only while no input that the state already has changes.
 * The rule is pulumi-go-provider's (v1.3.0, infer/resource.go, markComputed).
 */
function previewedOutput(state: Values, inputs: Values): Values {
  const changes = Object.keys(commandInputs.shape).some(
    (key) => isUnknown(inputs[key]) || (key in state && !equal(state[key], inputs[key])),
  );
  if (changes) return { stdout: unknown, stderr: unknown };
  return { stdout: state.stdout ?? "", stderr: state.stderr ?? "" };
}
