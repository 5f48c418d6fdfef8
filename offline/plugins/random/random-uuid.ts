import { randomUUID } from "node:crypto";
import { z } from "zod";
import { generated } from "./generated.ts";
import { keepers } from "./keepers.ts";

/** random:index/randomUuid:RandomUuid (terraform-provider-random, internal/provider/resource_uuid.go). */
export const randomUuid = generated({
  type: "random:index/randomUuid:RandomUuid",
  inputs: z.strictObject({ keepers }),
  settings: z.object({}),
  outputs: ["result"],
  withDefaults: () => ({}),
  make: () => {
    const result = randomUUID();
    return { id: result, outputs: { result } };
  },
});
