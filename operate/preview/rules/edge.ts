/** The ingress, and what is behind it. */
import { cause, type Explained, inRow } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** Another ingress controller, or other values of it. */
export function controllerChange({ changes, settings }: Plan): Explained[] {
  const change = changes.find(({ name, op }) => name === "ingress-release" && op !== "create");
  if (change === undefined) return [];
  const hosts = [settings.vault.host, ...(settings.whoami.enabled ? [settings.whoami.host] : [])];
  const controller = (chart: unknown) => (String(chart).includes("traefik") ? "traefik" : "nginx");
  const [from, to] = [controller(change.before.chart), controller(change.after.chart)];
  const because =
    from === to
      ? change.differing.length > 0
        ? change.differing.map((path) => `ingress controller's release: ${path}`)
        : [`ingress controller's release: ${change.op}`]
      : [cause("ingress.controller", from, to)];
  return [
    {
      verdict: "disruptive",
      says: `The ingress controller is started anew: a short gap for ${inRow(hosts)}. Vault's own port is not concerned.`,
      because,
      covers: [change.name],
    },
  ];
}

/** Vault's Ingress; with a change of the scheme it is a part of that (tls.ts). */
export function vaultIngressChange({ changes }: Plan): Explained[] {
  const change = changes.find(({ name }) => name === "vault-ingress");
  if (change === undefined || change.op === "create") return [];
  const [from, to] = [hostIn(change.before), hostIn(change.after)];
  const covers = [change.name];
  if (change.op === "delete")
    return [
      {
        verdict: "disruptive",
        says: `Vault is behind the ingress no more (${from}).`,
        because: ["vault-ingress: delete"],
        covers,
      },
    ];
  if (from === to) return [];
  return [
    {
      verdict: "disruptive",
      says: `Behind the ingress Vault answers under ${to}, and under ${from} no more.`,
      because: [cause("vault.host", from, to)],
      covers,
    },
  ];
}

/** The test application. */
export function whoamiChange({ changes }: Plan): Explained[] {
  const own = changes.filter(({ name }) => name.startsWith("whoami-"));
  if (own.length === 0) return [];
  const ops = new Set(own.map(({ op }) => op));
  const what =
    ops.size > 1 || !["create", "delete"].includes([...ops][0] ?? "")
      ? "changed"
      : ops.has("create")
        ? "put behind the ingress"
        : "taken away";
  return [
    {
      verdict: "safe",
      says: `The test application whoami is ${what}. Nothing depends on it.`,
      because: own.map(({ name, op }) => `${name}: ${op}`),
      covers: own.map(({ name }) => name),
    },
  ];
}

function hostIn(inputs: Record<string, unknown>): string | undefined {
  const { spec } = inputs as { spec?: { rules?: { host?: string }[] } };
  return spec?.rules?.[0]?.host;
}
