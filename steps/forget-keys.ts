import { z } from "zod";
import { removeFiles } from "./lib/cluster.ts";
import { Unreachable } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { keysPath } from "./lib/keys-file.ts";
import { openKube } from "./lib/kube.ts";
import { vaultClaims } from "./lib/pods.ts";

const Input = Timeout.extend({
  stackDir: z.string().min(1),
  kubeconfig: z.string().min(1),
  namespace: z.string().min(1),
});

/**
 * Runs last when a stack is destroyed whose volumes go with it: removes Vault's keys once no volume is left that they
 * open. Where that cannot be seen, they stay.
 */
await runStep("forget-keys", Input, async ({ stackDir, kubeconfig, namespace }, step) => {
  const left = await openKube(kubeconfig)
    .then((kube) => vaultClaims(kube, namespace, step.signal))
    .catch((error) => {
      if (!(error instanceof Unreachable)) throw error;
      step.say(`whether volumes are left is not known: ${error.message}`);
      return undefined;
    });
  if (left === undefined || left.length > 0) {
    if (left !== undefined)
      step.say(`these volumes are still there: ${left.map(({ name }) => name).join(", ")}`);
    step.say(`the keys stay in ${keysPath(stackDir)}`);
    return { removed: false };
  }
  const others = await removeFiles(stackDir);
  if (others.length > 0) step.say(`${stackDir} stays, for it holds ${others.join(", ")}`);
  step.say("no volume of Vault's is left, and its keys are removed");
  return { removed: true };
});
