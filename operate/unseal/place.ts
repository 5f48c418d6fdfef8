/** The Vault whose nodes are unsealed: a stack of this checkout, or one that a kubeconfig leads to. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Flag } from "../../setup/arguments.ts";
import { CommandError } from "../../setup/command.ts";
import { words } from "../../steps/lib/errors.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { Pod, schemeOf } from "../../steps/lib/pod.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";

/** For somebody who has a kubeconfig and a share, and no stack. */
export const placeFlags = {
  kubeconfig: {
    says: "without a stack on this machine: the kubeconfig that leads to Vault's cluster",
    value: "path",
  },
  namespace: { says: "with --kubeconfig: Vault's namespace (default vault)", value: "name" },
  authority: {
    says: "with --kubeconfig, where Vault speaks HTTPS: the authority that its certificate is by (vault-ca.crt)",
    value: "path",
  },
} as const satisfies Record<string, Flag>;

/** A client for each node, vault-0 first, each asked as its pod was made. */
export interface Place {
  target: Target & { reach: { kind: "kubernetes" } };
  vaults: Vault[];
}

/**
 * Looks for Vault's pods with nothing but a kubeconfig. It has to allow `get` and `list` of pods, and `create` of
 * pods/portforward, in that namespace; no Secret is read, since one with a certificate has its key as well.
 * @throws CommandError where there is none, or it speaks HTTPS and no authority is named
 */
export async function placeOf(flags: Record<string, string | true>, signal: AbortSignal): Promise<Place> {
  const [kubeconfig, namespace] = [String(flags.kubeconfig), String(flags.namespace ?? "vault")];
  const caCert = flags.authority === undefined ? undefined : readAuthority(String(flags.authority));
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent("app.kubernetes.io/name=vault,component=server")}`;
  const found = await openKube(kubeconfig)
    .then((kube) => kube.get(path, z.object({ items: z.array(Pod) }), signal))
    .catch((error) => {
      throw new CommandError(
        `Vault's pods cannot be listed with ${kubeconfig}: ${words(error)}\nNext: kubectl --kubeconfig ${kubeconfig} --namespace ${namespace} auth can-i list pods`,
      );
    });
  const pods = (found?.items ?? []).toSorted((one, other) =>
    one.metadata.name.localeCompare(other.metadata.name),
  );
  if (pods.length === 0)
    throw new CommandError(
      `There is no pod of Vault in namespace ${namespace}.\nNext: kubectl --kubeconfig ${kubeconfig} get pods --all-namespaces --selector app.kubernetes.io/name=vault`,
    );
  const reach = { kind: "kubernetes", kubeconfig, namespace } as const;
  const target = { stack: namespace, stackDir: ".", giveUp: [], reach, ...(caCert && { caCert }) };
  const vaults: Vault[] = [];
  for (const pod of pods) {
    // Not the Secret that the pod names: its authority is a file here.
    const scheme = schemeOf(pod) ?? "http";
    if (scheme === "https" && caCert === undefined)
      throw new CommandError(
        `This Vault speaks HTTPS: say whose certificate is to be trusted, with --authority vault-ca.crt, which lies beside your share.`,
        2,
      );
    vaults.push(new Vault(await openRoad({ ...target, scheme }), pod.metadata.name, { signal }));
  }
  return { target: { ...target, scheme: caCert === undefined ? "http" : "https" }, vaults };
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${words(error)}`, 2);
  }
}
