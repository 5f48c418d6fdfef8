/** A certificate in a Secret that somebody else makes and renews, such as cert-manager (`vault.tls.source` secret). */
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { certificateProblems, namesNeeded, serverNames } from "../steps/lib/certificates.ts";
import { NotYet, Unreachable, words } from "../steps/lib/errors.ts";
import { openKube } from "../steps/lib/kube.ts";
import { podNames } from "../steps/lib/road.ts";
import { type TlsSecret, tlsSecretOf } from "../steps/lib/tls-secret.ts";
import type { KindCluster } from "./kind-cluster.ts";

/**
 * Looks at the Secret at every preview and update. Its name is known once it is there and Vault can be started with it;
 * else the program ends with an error that lists every problem, before Vault is touched. A preview that cannot look
 * warns and goes on.
 */
export function foundSecret(
  cluster: KindCluster,
  namespace: k8s.core.v1.Namespace,
  name: string,
  { replicas, host }: Settings["vault"],
): { name: pulumi.Output<string>; authority: pulumi.Output<string> } {
  const look = async (kubeconfig: string, namespaceName: string): Promise<TlsSecret | undefined> => {
    const where = `the Secret ${name} in namespace ${namespaceName}`;
    try {
      const kube = await openKube(kubeconfig);
      const found = await tlsSecretOf(kube, namespaceName, name, AbortSignal.timeout(10_000));
      const problems = certificateProblems(found, namesNeeded(podNames(replicas), host));
      if (problems.length === 0) return found;
      throw new pulumi.RunError(
        `Vault's certificate, ${where}, cannot be used; Vault was not changed.\n  ${problems.join("\n  ")}\n    kubectl --namespace ${namespaceName} describe certificate,secret ${name}`,
      );
    } catch (error) {
      if (!(error instanceof NotYet)) throw error;
      const missing =
        error instanceof Unreachable ? words(error) : `${where} is not there, and Vault needs it to begin`;
      if (pulumi.runtime.isDryRun()) {
        await pulumi.log.warn(`${missing}; this preview does not know Vault's certificate`, namespace);
        return undefined;
      }
      throw new pulumi.RunError(
        `${missing}. Nothing of Vault was changed. Have it made (type kubernetes.io/tls, with tls.crt, tls.key and ca.crt) for ${serverNames({ namespace: namespaceName, host }).join(", ")}; then run this again.\n    kubectl --namespace ${namespaceName} create secret generic ${name} --type kubernetes.io/tls --from-file tls.crt --from-file tls.key --from-file ca.crt`,
      );
    }
  };
  const found = pulumi
    .all([cluster.kubeconfig, namespace.metadata.name, namespace.id])
    .apply(([kubeconfig, namespaceName]) => look(kubeconfig, namespaceName));
  return {
    name: pulumi.unsecret(found.apply(() => name)),
    authority: pulumi.unsecret(found.apply((it) => it?.caCert ?? "")),
  };
}
