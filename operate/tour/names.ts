import { randomBytes } from "node:crypto";

/** How the names of everything begin that a tour makes. */
export const prefix = "tour-";

/** Marks a mount, a policy or a token as a tour's, whatever else has a name that begins so. */
export const description = "Made by npm run tour";

/** What one tour makes in Vault. */
export interface Names {
  kv: string;
  transit: string;
  policy: string;
}

/** Names that nothing else has. */
export function newNames(): Names {
  const tour = randomBytes(4).toString("hex");
  return {
    kv: `${prefix}kv-${tour}`,
    transit: `${prefix}transit-${tour}`,
    policy: `${prefix}reader-${tour}`,
  };
}
