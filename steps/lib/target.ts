import { join } from "node:path";
import { z } from "zod";

/** How the steps get at Vault's nodes: through the Kubernetes API, or at an address that is given. */
export const Reach = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("kubernetes"),
    /** The kubeconfig: the path of its file, or its text. Its current context is the cluster. */
    kubeconfig: z.string().min(1),
    namespace: z.string().min(1),
    /** With TLS: the Secret that the pods serve; its ca.crt is the authority that is trusted. */
    tlsSecret: z.string().min(1).optional(),
  }),
  z.strictObject({
    kind: z.literal("direct"),
    /** Each node's API address, such as http://127.0.0.1:8200. */
    addresses: z.record(z.string(), z.url()),
    /** What names each node's store, as the UID of its PVC does on Kubernetes. */
    stores: z.record(z.string(), z.string()).optional(),
    /** What names the cluster, as the UID of its namespace kube-system does on Kubernetes. */
    cluster: z.string().optional(),
  }),
]);
export type Reach = z.output<typeof Reach>;

/** Which Vault a step works on: the part of its input that all steps share. */
export const Target = z.object({
  /** The Pulumi stack's name. */
  stack: z.string().min(1),
  /** The stack's own folder (0700): kubeconfig, vault-init.json. */
  stackDir: z.string().min(1),
  reach: Reach,
  scheme: z.enum(["http", "https"]),
  /**
   * The certificate authority that signed the nodes' certificates, as PEM. Without it, that of `reach.tlsSecret`, so
   * that a renewed authority changes no step's input; else the system's own.
   */
  caCert: z.string().min(1).optional(),
  /** The setting vault.giveUp: identities (of a store or a Vault) that somebody has given up for lost. */
  giveUp: z.array(z.string()).default([]),
});
export type Target = z.output<typeof Target>;

/** The way to a Vault: the part of a target that says where it is and whom to trust. */
export type Way = Pick<Target, "reach" | "scheme" | "caCert">;

/** The command that runs the program again, for the end of a message. */
export function upAgain(target: { stack: string }): string {
  return `pulumi up --stack ${target.stack}`;
}

/** The command that gives up identities, beside those that are given up already. */
export function giveUpCommand({ giveUp, stack }: Pick<Target, "giveUp" | "stack">, lost: string[]): string {
  const all = [...new Set([...giveUp, ...lost])].join(",");
  return `pulumi config set vault.giveUp ${all} --stack ${stack}`;
}

/** A kubectl command for the target's namespace, for the end of a message. */
export function kubectl(target: Pick<Target, "stackDir" | "reach">, command: string): string {
  if (target.reach.kind === "direct") return `kubectl ${command}`;
  const { kubeconfig, namespace } = target.reach;
  const file = isKubeconfigText(kubeconfig) ? join(target.stackDir, "kubeconfig") : kubeconfig;
  return `kubectl --kubeconfig ${file} --namespace ${namespace} ${command}`;
}

/** Whether a kubeconfig is given as text rather than as the path of a file. */
export function isKubeconfigText(kubeconfig: string): boolean {
  return kubeconfig.includes("\n") || kubeconfig.trimStart().startsWith("{");
}
