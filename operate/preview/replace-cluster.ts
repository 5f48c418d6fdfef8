import { pulumiShown } from "../../setup/pulumi.ts";
import type { Stack } from "../../setup/stack.ts";
import type { Judgement } from "./judge.ts";

/** Whether an update would put another kind cluster in the place of the stack's. */
export function replacesCluster({ changes }: Pick<Judgement, "changes">): boolean {
  return changes.some(({ name, op }) => name === "cluster-create" && op === "replace");
}

/**
 * Takes down the cluster that is replaced on purpose, with all that is in it; the update that follows is a first one.
 * In one update Pulumi deletes the old cluster first and then asks it, in vain, to delete what was in it: deletedWith
 * does not hold for a replacement that deletes first.
 */
export async function takeClusterDown({ env, name }: Stack, again: string): Promise<void> {
  const cluster = ["--target", "**cluster-create", "--target-dependents"];
  await pulumiShown(env, ["destroy", "--yes", "--skip-preview", ...cluster, "--stack", name], again);
}
