import { existsSync } from "node:fs";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import { kubectl } from "./kubectl.ts";
import type { Resource, Stack } from "./stack.ts";

/**
 * Lets Helm install anew what a killed run had begun to install. Pulumi notes a release when it is complete; Helm
 * notes it at its begin and then refuses its name for ever ("cannot re-use a name that is still in use"). So Helm's
 * note of a release that the state does not know is removed. The objects stay, and the next install takes them over:
 * they carry the release's name (https://helm.sh/docs/topics/advanced/#storage-backends).
 */
export async function forgetHalfMadeReleases(
  stack: Stack,
  resources: Resource[],
  say: (line: string) => void,
): Promise<void> {
  if (!existsSync(kubeconfigPath(stack.dir))) return;
  for (const { namespace, name } of unknownReleases(resources)) {
    // A cluster that does not answer is the update's to report.
    const { stdout } = await kubectl(stack, [
      ...["--request-timeout=10s", "--namespace", namespace],
      ...["delete", "secrets", "--selector", `owner=helm,name=${name}`, "--output", "name"],
    ]);
    if (stdout)
      say(`an earlier run was cut off while it installed ${name}: it is installed over what is there`);
  }
}

/** The releases of this program that a state does not know, of those whose namespace it does. */
export function unknownReleases(
  resources: Pick<Resource, "urn" | "id">[],
): { namespace: string; name: string }[] {
  const find = (name: string) => resources.find(({ urn }) => urn.endsWith(`::${name}`));
  const vaultNamespace = find("vault-namespace")?.id;
  return [
    // In a cluster that exists, one of that name is somebody else's.
    ...(find("ingress-release") || !find("cluster-create")
      ? []
      : [{ namespace: "ingress-nginx", name: "ingress-nginx" }]),
    ...(find("vault-release") || !vaultNamespace ? [] : [{ namespace: vaultNamespace, name: "vault" }]),
  ];
}
