import type { Views } from "../../views/views.ts";

/**
 * Whether Vault answers as it does where no audit device can write: a request with a token with 500, and as its words
 * "internal error" or "failed to audit request" (seen with 1.21.1). Only the log of the leader says why.
 */
export function auditFails({ pulumi, audit }: Pick<Views, "pulumi" | "audit">): boolean {
  return pulumi.audits && /with 500: .*(internal error|failed to audit)/.test(audit?.failed ?? "");
}
