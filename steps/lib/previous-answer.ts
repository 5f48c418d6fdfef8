import type { z } from "zod";
import { StepError } from "./errors.ts";

/**
 * What this step answered when it ran before, as Pulumi keeps it in the stack's state and gives it to an update;
 * undefined at a first run.
 * @throws StepError where it is no such answer; its text is not shown, for it may hold shares
 */
export function previousAnswer<S extends z.ZodType>(schema: S): z.output<S> | undefined {
  const printed = process.env.PULUMI_COMMAND_STDOUT;
  if (!printed) return undefined;
  try {
    return schema.parse(JSON.parse(printed));
  } catch {
    throw new StepError(
      "PULUMI_COMMAND_STDOUT is set, but it is not what this step printed before; nothing was changed",
    );
  }
}
