import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { initialisedAt, keysPath, PgpAnswer, readKeys, writeKeys } from "./lib/keys-file.ts";
import { sealType } from "./lib/self-unseal.ts";
import { Target } from "./lib/target.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  threshold: z.number().int().min(1),
  /** None where people hold them; then what they hold, encrypted. */
  shares: z.array(z.string().min(1)),
  pgp: PgpAnswer.optional(),
  token: z.string(),
  /** What unseals the nodes by itself: the shares are recovery shares then. */
  seal: sealType.optional(),
  /** UID of the PVC that was initialised. */
  store: z.string().optional(),
});

/**
 * Runs when a stack is destroyed whose volumes stay: sees to it that their keys are on this machine, because the state
 * that has them ends. A journal that is there already is left as it is.
 */
await runStep("keep-keys", Input, async (input, step) => {
  const { stack, stackDir, pod, threshold, shares, pgp, token, store, seal } = input;
  const keys = await readKeys(stackDir);
  if (keys === undefined || initialisedAt(keys) === undefined) {
    const now = new Date().toISOString();
    await writeKeys(stackDir, {
      version: 1,
      stack,
      pod,
      ...(store !== undefined && { pvcUid: store }),
      intendedAt: now,
      threshold,
      ...(seal !== undefined && { seal }),
      ...(pgp
        ? { pgp, ...(token && { token }) }
        : { answer: { shares, rootToken: token, initialisedAt: now } }),
    });
  }
  step.say(`the volumes stay; their keys are in ${keysPath(stackDir)}`);
  return { keys: keysPath(stackDir) };
});
