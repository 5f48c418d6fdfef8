/** The flags that say on which cluster that exists a Vault is, for commands that take one over. */
import type { Flag } from "../../setup/arguments.ts";

export const placeFlags = {
  context: { says: "the kubeconfig's context, where the stack's file does not name it", value: "name" },
  kubeconfig: {
    says: "the kubeconfig, unless $KUBECONFIG or ~/.kube/config has the context",
    value: "path",
  },
  namespace: { says: "Vault's namespace (default vault, or as the stack's file names it)", value: "name" },
} as const satisfies Record<string, Flag>;

/** The settings that they stand for, as typed. */
export function flaggedTexts({
  context,
  kubeconfig,
  namespace,
}: Record<string, string | true>): Record<string, string> {
  return {
    ...(context && { "cluster.driver": "existing", "cluster.context": String(context) }),
    ...(kubeconfig && { "cluster.kubeconfig": String(kubeconfig) }),
    ...(namespace && { "vault.namespace": String(namespace) }),
  };
}
