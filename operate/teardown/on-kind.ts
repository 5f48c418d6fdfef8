/** The end of a stack whose cluster kind has made: everything goes with it. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { CommandError } from "../../setup/command.ts";
import { checkout } from "../../setup/folders.ts";
import { clusterNames, type Held, heldBy, removal, stillHeld } from "../../setup/leftovers.ts";
import type { Resource, Stack } from "../../setup/stack.ts";
import { kubeconfigPath } from "../../steps/lib/cluster.ts";
import { keysPath } from "../../steps/lib/keys-file.ts";
import { commandsOf } from "../views/commands.ts";
import { keptSnapshots } from "./kept-snapshots.ts";
import { type Receipt, withSnapshots } from "./receipt.ts";

/** What there was before the end. */
export interface KindBefore {
  clusters: string[];
  held: Held;
  /** Files of the stack that were there. */
  files: string[];
  /** Files that should have been there. */
  lost: string[];
}

/** Looks at what a stack holds, before it is destroyed. */
export async function beforeOnKind(stack: Stack, resources: Resource[]): Promise<KindBefore> {
  const clusters = clusterNames(resources, stack.name);
  const has = (name: string) => resources.some(({ urn }) => urn.endsWith(`::${name}`));
  const stackDir = relative(checkout, stack.dir);
  const wanted = [
    ...(has("cluster-create") ? [kubeconfigPath(stackDir)] : []),
    ...(has("lifecycle-init-vault-0") ? [keysPath(stackDir)] : []),
  ];
  const isThere = (file: string) => existsSync(`${checkout}/${file}`);
  return {
    clusters: has("cluster-create") ? clusters : [],
    held: await heldBy(clusters),
    files: wanted.filter(isThere),
    lost: wanted.filter((file) => !isThere(file)),
  };
}

/**
 * The receipt, once Docker was looked at again.
 * @throws CommandError where something is left, with the commands that remove it
 */
export async function afterOnKind(stack: Stack, before: KindBefore): Promise<Receipt> {
  const commands = removal(await stillHeld(before.held));
  if (commands.length > 0)
    throw new CommandError(
      `The stack is destroyed, but this is left. Remove it with:\n  ${commands.join("\n  ")}`,
    );
  const stackDir = relative(checkout, stack.dir);
  return withSnapshots(kindReceipt(stack.name, stackDir, before), await keptSnapshots(stackDir));
}

/** The receipt of a stack of which nothing is left. */
export function kindReceipt(stack: string, stackDir: string, before: KindBefore): Receipt {
  const { clusters, held, files, lost } = before;
  const counted = (count: number, what: string) =>
    count === 0 ? [] : [`${count} ${what}${count === 1 ? "" : "s"}`];
  const parts = [
    ...counted(held.containers.length, "node"),
    ...counted(held.volumes.length, "volume"),
    ...counted(held.networks.length, "network"),
  ];
  const missing = [
    ...(clusters.length > 0 && held.containers.length === 0
      ? [`the nodes of cluster ${clusters.join(", ")}: somebody had removed them`]
      : []),
    ...(clusters.length > 0 && held.networks.length === 0 ? [`the network of ${clusters.join(", ")}`] : []),
    ...lost,
  ];
  return {
    stack,
    gone: [
      ...(parts.length > 0
        ? [`cluster ${clusters.join(", ")}, with Vault and its data: ${parts.join(", ")}`]
        : []),
      ...files,
      "the stack's resources in Pulumi's state; its settings stay in the stack's file",
    ],
    missing,
    kept: [],
    keys: {
      file: keysPath(stackDir),
      needed: false,
      because: "no volume is left that they open",
    },
    again: commandsOf({ stack, stackDir, target: undefined, pods: [] }).up,
    remove: [],
  };
}
