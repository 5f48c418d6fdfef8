/** What tells others how Vault is. */
import type { Explained } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** Where Prometheus' operator scrapes Vault by the stack's ServiceMonitor, or no longer does. */
export function monitorChange({ changes }: Plan): Explained[] {
  const own = changes.filter(({ name, type }) => name === "vault-monitor" && !type.startsWith("vault-ha:"));
  return own.map(({ name, op }) => ({
    verdict: "safe",
    says:
      op === "delete"
        ? "The ServiceMonitor is taken away: Prometheus' operator scrapes Vault no longer."
        : `The ServiceMonitor is ${op === "create" ? "made" : "changed"}: by it Prometheus' operator scrapes Vault.`,
    because: [`${name}: ${op}`],
    covers: [name],
  }));
}
