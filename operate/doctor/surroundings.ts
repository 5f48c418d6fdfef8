import { Stack } from "../../setup/stack.ts";
import { stateKeys } from "../open-vault.ts";
import type { Subject } from "../views/subject.ts";
import type { Surroundings } from "./evidence/gather.ts";
import { insideByKubectl } from "./evidence/inside.ts";

/** The surroundings of a stack of this checkout. */
export function surroundingsOf({ stack: name, target, resources }: Subject): Surroundings {
  const stack = new Stack(name);
  const reach = target?.reach;
  return {
    inside:
      reach?.kind === "kubernetes"
        ? insideByKubectl(stack.env, reach.kubeconfig, reach.namespace)
        : undefined,
    locks: () => stack.locks(),
    stateKeys: () => stateKeys(stack, resources),
  };
}
