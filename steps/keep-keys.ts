import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { keysPath, readKeys, writeKeys } from "./lib/keys-file.ts";
import { Target } from "./lib/target.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  threshold: z.number().int().min(1),
  shares: z.array(z.string().min(1)).min(1),
  token: z.string().min(1),
  /** UID of the PVC that was initialised. */
  store: z.string().optional(),
});

/**
 * Runs when a stack is destroyed whose volumes stay: sees to it that their keys are on this machine, because the state
 * that has them ends. A journal that is there already is left as it is.
 */
await runStep("keep-keys", Input, async ({ stack, stackDir, pod, threshold, shares, token, store }, step) => {
  const keys = await readKeys(stackDir);
  if (keys?.answer === undefined) {
    const now = new Date().toISOString();
    await writeKeys(stackDir, {
      version: 1,
      stack,
      pod,
      ...(store !== undefined && { pvcUid: store }),
      intendedAt: now,
      threshold,
      answer: { shares, rootToken: token, initialisedAt: now },
    });
  }
  step.say(`the volumes stay; their keys are in ${keysPath(stackDir)}`);
  return { keys: keysPath(stackDir) };
});
