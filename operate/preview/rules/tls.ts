/** How Vault speaks to its clients, and whose certificate it shows. */
import { valueAt } from "../../../components/values-file.ts";
import { authorityPath } from "../../../steps/lib/tls-secret.ts";
import { cause, type Explained } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** Vault begins, or ceases, to speak HTTPS. */
export function schemeChange(plan: Plan): Explained[] {
  if (plan.release === undefined) return [];
  const { before, after } = plan.release;
  const [from, to] = [before, after].map((values) => valueAt(values, "global.tlsDisable") === false);
  if (from === to) return [];
  const says = to
    ? `Vault speaks HTTPS instead of HTTP. Clients have to use https:// with each node that has changed, and to trust ${authorityPath(plan.stackDir)}.`
    : "Vault speaks HTTP instead of HTTPS: tokens and secrets travel in clear. Clients have to use http:// with each node that has changed.";
  const covers = plan.changes
    .filter(
      ({ name, op }) => /^(vault-(tls-.*|ingress|release|leave)$|lifecycle-)/.test(name) && op !== "replace",
    )
    .map(({ name }) => name);
  return [{ verdict: "disruptive", says, because: [cause("vault.tls.enabled", from, to)], covers }];
}

/** What stands for each source of the certificate: a resource that no other has. */
const sources: Record<string, string> = {
  "vault-tls-authority": "selfSigned",
  "vault-tls-found": "secret",
};

/** Another certificate for a Vault that speaks HTTPS already. */
export function certificateChange(plan: Plan): Explained[] {
  if (schemeChange(plan).length > 0) return [];
  const changes = plan.changes.filter(({ name }) => name.startsWith("vault-tls-"));
  const rollout = plan.changes.find(({ name }) => name === "lifecycle-rollout");
  const renewed = rollout?.differing.includes("environment.CERTIFICATE") === true;
  if (changes.length === 0 && !renewed) return [];
  const covers = [
    ...changes.map(({ name }) => name),
    ...plan.changes
      .map(({ name }) => name)
      .filter((name) => /^lifecycle-(rollout|verify|unseal-.*)$/.test(name)),
  ];
  // A Vault whose keys are here before its release is: it was kept, or has come from a Standalone.
  if (plan.changes.some(({ name, op }) => name === "vault-release" && op === "create"))
    return [
      {
        verdict: "safe",
        says: "Vault's nodes begin with this certificate.",
        because: [reason(plan)],
        covers,
      },
    ];
  const turned = changes.filter(({ name, op }) => name in sources && (op === "create" || op === "delete"));
  const replaced = changes.filter(({ name, op }) => name === "vault-tls-authority" && op === "replace");
  if (turned.length + replaced.length > 0) {
    const source = (op: string) => sources[turned.find((change) => change.op === op)?.name ?? ""] ?? "files";
    return [
      {
        verdict: "disruptive",
        says: `Another authority signs Vault's certificate: a client that trusts the former one alone refuses Vault. The new one is in ${authorityPath(plan.stackDir)}.`,
        because:
          turned.length > 0
            ? [cause("vault.tls.source", source("delete"), source("create"))]
            : ["the stack's authority is made anew"],
        covers,
      },
    ];
  }
  const inSecret = changes.some(({ op, differing }) => op !== "update" || differing.some(ofData));
  const others = changes.some(({ name }) => name !== "vault-tls-secret");
  const says =
    renewed || others || inSecret
      ? "Vault is given another certificate: the nodes take it up one after the other, the leader last. None is restarted, and no client notices."
      : "The Secret of Vault's certificate is changed, and not what it holds: no node is concerned.";
  return [{ verdict: "safe", says, because: [reason(plan)], covers }];
}

const ofData = (path: string) => path === "data" || path.startsWith("data[") || path.startsWith("data.");

function reason({ changes }: Plan): string {
  const certificate = changes.find(({ name }) => name === "vault-tls-certificate");
  if (certificate?.differing.some((path) => path.startsWith("environment.TERM")))
    return "the certificate's term is over";
  if (certificate?.differing.includes("stdin"))
    return "the input of the step that makes it: its names (vault.host, vault.namespace), or timeouts.stepSeconds";
  if (certificate !== undefined) return `the step that makes it: ${certificate.op}`;
  const secret = changes.find(({ name }) => name === "vault-tls-secret");
  if (secret !== undefined && secret.op !== "update") return `the Secret that holds it: ${secret.op}`;
  if (secret !== undefined && !secret.differing.some(ofData)) return secret.differing.join(", ");
  return "what its files, or its Secret, hold";
}
