/** The end of a stack on a cluster that somebody else has made: the cluster stays, and the data where the stack says so. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { z } from "zod";
import { CommandError } from "../../setup/command.ts";
import { checkout } from "../../setup/folders.ts";
import type { Resource, Stack } from "../../setup/stack.ts";
import { kubeconfigPath } from "../../steps/lib/cluster.ts";
import { keysPath } from "../../steps/lib/keys-file.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { type VaultClaim, vaultClaims } from "../../steps/lib/pods.ts";
import { commandsOf } from "../views/commands.ts";
import type { Receipt } from "./receipt.ts";

/** What of Vault is in the cluster; undefined where its API does not answer. */
export type Found = { namespace: boolean; claims: VaultClaim[] } | undefined;

/** What a stack has put into a cluster, as its state knows it. */
export interface ExistingPlace {
  stack: string;
  stackDir: string;
  namespace: string;
  context: string;
  /** Names of the resources that the state has. */
  resources: string[];
}

/** The place of a stack whose state knows a namespace; the settings' one where it does not. */
export function existingPlace(
  stack: Stack,
  resources: Resource[],
  settings: { namespace: string; context: string },
): ExistingPlace {
  const names = resources.map(({ urn }) => urn.split("::").at(-1) ?? "");
  const id = resources.find(({ urn }) => urn.endsWith("::vault-namespace"))?.id;
  return {
    stack: stack.name,
    stackDir: relative(checkout, stack.dir),
    namespace: id ?? settings.namespace,
    context: settings.context,
    resources: names,
  };
}

const AnyObject = z.object({});

/** Looks into the cluster. */
export async function lookAt({ stackDir, namespace }: ExistingPlace): Promise<Found> {
  const signal = AbortSignal.timeout(15_000);
  try {
    const kube = await openKube(kubeconfigPath(stackDir));
    const there = await kube.get(`/api/v1/namespaces/${namespace}`, AnyObject, signal);
    return { namespace: there !== undefined, claims: await vaultClaims(kube, namespace, signal) };
  } catch {
    return undefined;
  }
}

/**
 * Throws where the cluster does not answer, unless somebody says that it is gone: a network that is down for a minute
 * must not make Pulumi forget what stands.
 */
export function refuseUnreachable(place: ExistingPlace, before: Found, gone: boolean): void {
  if (before !== undefined || gone) return;
  const { stack, stackDir, context } = place;
  throw new CommandError(
    `The Kubernetes API of the context ${context} does not answer, or the login is not good any more. Nothing was destroyed.\n` +
      `  kubectl --kubeconfig ${kubeconfigPath(stackDir)} get namespaces   (says why)\n` +
      `Where that cluster is gone for good, with all that was in it:\n` +
      `  npm run down -- --stack ${stack} --cluster-is-gone`,
  );
}

/** The receipt, from what was there before and is there after. */
export function existingReceipt(place: ExistingPlace, before: Found, after: Found): Receipt {
  const { stack, stackDir, namespace, context, resources } = place;
  const file = keysPath(stackDir);
  const kubectl = `kubectl --kubeconfig ${kubeconfigPath(stackDir)}`;
  const claims = after?.claims ?? [];
  const volume = ({ name, size, storageClass }: VaultClaim) =>
    `${name} (${[size ?? "not bound", storageClass].filter(Boolean).join(", ")})`;
  const had = (name: string) => resources.includes(name);
  const gone = [
    ...(before && had("vault-release") ? [`Vault's release in namespace ${namespace}, with its pods`] : []),
    ...(before?.namespace && !after?.namespace ? [`the namespace ${namespace}, with its volumes`] : []),
    "the stack's resources in Pulumi's state; its settings stay in the stack's file",
  ];
  const missing = [
    ...(before === undefined ? [`the cluster of the context ${context}: nothing was looked for in it`] : []),
    ...(before && !before.namespace && had("vault-namespace")
      ? [`the namespace ${namespace}: somebody had removed it`]
      : []),
  ];
  const isHere = existsSync(`${checkout}/${file}`);
  const needed = claims.length > 0 || (after === undefined && isHere);
  return {
    stack,
    gone,
    missing,
    kept: [
      ...(after?.namespace ? [`the namespace ${namespace} on the cluster of the context ${context}`] : []),
      ...(claims.length > 0 ? [`volumes (PVCs): ${claims.map(volume).join(", ")}`] : []),
      ...(isHere ? [`${file}, readable by you alone`] : []),
    ],
    keys: {
      file,
      needed,
      because: needed
        ? claims.length > 0
          ? `nobody opens the volumes without ${file}. Keep a copy elsewhere`
          : "whether volumes are left was not seen"
        : "no volume is left that they open",
    },
    again: commandsOf({ stack, stackDir, target: undefined, pods: [] }).up,
    remove: [
      ...(after?.namespace ? [`${kubectl} delete namespace ${namespace}`] : []),
      ...(isHere ? [`rm ${file}`] : []),
    ],
  };
}
