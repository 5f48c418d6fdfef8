import { relative } from "node:path";
import { checkout } from "../../setup/folders.ts";
import { clusterNames } from "../../setup/leftovers.ts";
import { type Resource, Stack } from "../../setup/stack.ts";
import type { Target } from "../../steps/lib/target.ts";
import { bringKubeconfig, podsOf, resourcesOf, targetOf, type VaultKeys, vaultKeys } from "../open-vault.ts";
import { hostOf } from "../stack-texts.ts";

/**
 * What is looked at: a stack that stands, or one that is made in part, is stopped or is broken. Nothing of it is
 * asked before it is used.
 */
export interface Subject {
  stack: string;
  /** The stack's own folder. */
  stackDir: string;
  resources: readonly Resource[];
  /** The pods that the stack runs, vault-0 first. */
  pods: string[];
  /** kind's names of the stack's clusters; none where the nodes are no containers. */
  clusters: string[];
  /** Which Vault it is and the way to it; undefined while the stack has none. */
  target: Target | undefined;
  /** The shares and the root token; undefined before Vault was initialised. Throws where they cannot be read. */
  keys(): Promise<VaultKeys | undefined>;
  /** Vault's host behind the ingress. Throws where the stack's file cannot be read. */
  host(): string;
}

/**
 * A stack as `up` has made it, whole or in part.
 * @throws CommandError where there is no such stack, or its state cannot be read
 */
export async function openSubject(name: string): Promise<Subject> {
  const stack = new Stack(name);
  const resources = await resourcesOf(stack);
  await bringKubeconfig(stack);
  const stackDir = relative(checkout, stack.dir);
  return {
    stack: name,
    stackDir,
    resources,
    pods: podsOf(resources),
    clusters: clusterNames(resources, name),
    target: targetOf(stack, resources),
    keys: () => vaultKeys({ stack, resources, target: { stackDir } }),
    host: () => hostOf(name),
  };
}
