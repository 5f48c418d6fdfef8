import { z } from "zod";
import { orUnknown } from "../lib/inputs.ts";

const text = orUnknown(z.string());
const texts = orUnknown(z.array(text));
const unsupported = (what: string) =>
  z.undefined(
    `${what} is not supported by the command plug-in of this project, which serves networks where the official ` +
      `one cannot be downloaded. Let the command print what is needed and read it from stdout.`,
  );

/** Inputs common to the resource and the function, as far as this plug-in serves them. */
const base = {
  stdin: text.optional(),
  logging: orUnknown(z.enum(["stdout", "stderr", "stdoutAndStderr", "none"])).optional(),
  interpreter: texts.optional(),
  dir: text.optional(),
  environment: orUnknown(z.record(z.string(), text)).optional(),
  addPreviousOutputInEnv: orUnknown(z.boolean()).optional(),
  assetPaths: unsupported("assetPaths").optional(),
  archivePaths: unsupported("archivePaths").optional(),
};

/** Inputs of command:local:Command. */
export const commandInputs = z.strictObject({
  ...base,
  create: text.optional(),
  update: text.optional(),
  delete: text.optional(),
  triggers: orUnknown(z.array(z.unknown())).optional(),
});

/** Inputs of command:local:run. */
export const runInputs = z.strictObject({ ...base, command: text });

/** What a command is run with: the inputs, all known. Other keys (create, triggers, stdout) are dropped. */
export const runSettings = z.object({
  stdin: z.string().optional(),
  logging: z.enum(["stdout", "stderr", "stdoutAndStderr", "none"]).optional(),
  interpreter: z.array(z.string()).optional(),
  dir: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
});
export type RunSettings = z.infer<typeof runSettings>;
