import { ClusterInput, removeCluster, removeFiles } from "./lib/cluster.ts";
import { StepError, words } from "./lib/errors.ts";
import { runStep } from "./lib/io.ts";

/**
 * Deletes what create-cluster made and what came to stand in it: nodes with their volumes, network, kubeconfig,
 * and Vault's keys, whose store is gone. What is gone already is named and is no failure.
 */
await runStep("delete-cluster", ClusterInput, async (input, step) => {
  const { name, stackDir } = input;
  const { removed, missing } = await removeCluster(input).catch((error) => {
    throw new StepError(
      `cluster ${name} is not deleted, and Vault's keys are kept: ${words(error)}`,
      "pulumi destroy",
    );
  });
  if (missing.length > 0) step.say(`already gone: ${missing.join(", ")}`);
  const left = await removeFiles(stackDir);
  if (left.length > 0) step.say(`${stackDir} stays, for it holds ${left.join(", ")}`);
  step.say(`cluster ${name} is deleted${removed.length > 0 ? `: ${removed.join(", ")}` : ""}`);
  return { name, removed };
});
