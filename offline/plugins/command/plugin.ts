import { z } from "zod";
import { failuresOf, known } from "../lib/inputs.ts";
import type { FunctionKind, Plugin } from "../lib/plugin.ts";
import { command } from "./command.ts";
import { runInputs, runSettings } from "./inputs.ts";
import { run } from "./run.ts";

/** command:local:run: runs on every preview and update, as the official function does. */
const runFunction: FunctionKind = {
  check: (args) => failuresOf(runInputs, "command:local:run", args),
  invoke: async (call, args) => {
    const { command: text } = known(z.object({ command: z.string() }), args);
    return { ...args, ...(await run(call, text, known(runSettings, args), { stdout: "", stderr: "" })) };
  },
};

/** The command plug-in, in place of the official 1.2.1. */
export const commandPlugin: Plugin = {
  name: "command",
  version: "1.2.1",
  resources: { "command:local:Command": command },
  functions: { "command:local:run": runFunction },
};
