import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { local } from "./folders.ts";
import type { Stack } from "./stack.ts";

type Resource = { urn: string; id?: string };

/**
 * Lets Helm install anew what a killed run had begun to install. Pulumi notes a release when it is complete; Helm
 * notes it at its begin and then refuses its name for ever ("cannot re-use a name that is still in use"). So Helm's
 * note of a release that the state does not know is removed. The objects stay, and the next install takes them over:
 * they carry the release's name (https://helm.sh/docs/topics/advanced/#storage-backends).
 */
export async function forgetHalfMadeReleases(stack: Stack, say: (line: string) => void): Promise<void> {
  const kubeconfig = join(local.stacks, stack.name, "kubeconfig");
  if (!existsSync(kubeconfig)) return;
  const { deployment } = JSON.parse(await stack.export()) as { deployment: { resources?: Resource[] } };
  for (const { namespace, name } of unknownReleases(deployment.resources ?? [])) {
    const { stdout } = await execa(
      "kubectl",
      [
        ...["--kubeconfig", kubeconfig, "--namespace", namespace, "--request-timeout=10s"],
        ...["delete", "secrets", "--selector", `owner=helm,name=${name}`, "--output", "name"],
      ],
      // A cluster that does not answer is the update's to report.
      { env: stack.env, reject: false, stdin: "ignore" },
    );
    if (stdout)
      say(`an earlier run was cut off while it installed ${name}: it is installed over what is there`);
  }
}

/** The releases of this program that a state does not know, of those whose namespace it does. */
export function unknownReleases(resources: Resource[]): { namespace: string; name: string }[] {
  const find = (name: string) => resources.find(({ urn }) => urn.endsWith(`::${name}`));
  const vaultNamespace = find("vault-namespace")?.id;
  return [
    ...(find("ingress-release") ? [] : [{ namespace: "ingress-nginx", name: "ingress-nginx" }]),
    ...(find("vault-release") || !vaultNamespace ? [] : [{ namespace: vaultNamespace, name: "vault" }]),
  ];
}
