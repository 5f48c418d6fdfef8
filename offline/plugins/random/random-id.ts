import { randomBytes } from "node:crypto";
import { z } from "zod";
import { orUnknown } from "../lib/inputs.ts";
import { generated } from "./generated.ts";
import { keepers } from "./keepers.ts";

/** random:index/randomId:RandomId (terraform-provider-random, internal/provider/resource_id.go). */
export const randomId = generated({
  type: "random:index/randomId:RandomId",
  inputs: z.strictObject({
    keepers,
    byteLength: orUnknown(z.int().min(1)),
    prefix: orUnknown(z.string()).optional(),
  }),
  settings: z.object({ byteLength: z.number(), prefix: z.string().default("") }),
  outputs: ["b64Std", "b64Url", "dec", "hex"],
  withDefaults: ({ byteLength, prefix }) => ({ byteLength, prefix }),
  make: ({ byteLength, prefix }) => {
    const bytes = randomBytes(byteLength);
    const id = bytes.toString("base64url");
    const outputs = {
      b64Std: prefix + bytes.toString("base64"),
      b64Url: prefix + id,
      dec: prefix + BigInt(`0x${bytes.toString("hex")}`),
      hex: prefix + bytes.toString("hex"),
    };
    return { id, outputs };
  },
});
