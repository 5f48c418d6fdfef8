/** All rules. The order is that of docs/policy.md. */
import type { Rule } from "./rule.ts";
import { keyMaterial } from "./rules/key-material.ts";
import { oddReplicas } from "./rules/odd-replicas.ts";
import { pinnedImages } from "./rules/pinned-images.ts";
import { retainedData } from "./rules/retained-data.ts";
import { thisMachine } from "./rules/this-machine.ts";
import { tls } from "./rules/tls.ts";

export const rules: readonly Rule[] = [
  pinnedImages,
  tls,
  retainedData,
  oddReplicas,
  keyMaterial,
  thisMachine,
];
