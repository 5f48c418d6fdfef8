import { existsSync } from "node:fs";
import { relative } from "node:path";
import { z } from "zod";
import { sealIn } from "../components/vault-seal.ts";
import type { SealType } from "../settings/seals.ts";
import { CommandError } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";
import { type Resource, Stack } from "../setup/stack.ts";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import { words } from "../steps/lib/errors.ts";
import { readKeys } from "../steps/lib/keys-file.ts";
import { openRoad } from "../steps/lib/reach.ts";
import { podNames, type Road } from "../steps/lib/road.ts";
import type { Target } from "../steps/lib/target.ts";
import { tlsVolume } from "../steps/lib/tls-secret.ts";
import { readStackFile } from "./stack-file.ts";
import { clusterExists } from "./stack-texts.ts";

/** A stack's Vault as the operator's commands reach it. Nothing is asked of it before it is used. */
export interface OpenVault {
  stack: Stack;
  /** What Pulumi's state knows, as read at the begin. */
  resources: Resource[];
  /** Which Vault the steps work on; the same ways to it serve here. */
  target: Target & { reach: { kind: "kubernetes" } };
  road: Road;
  /** The pods that the stack runs, vault-0 first. */
  pods: string[];
}

/** The key shares and the root token. */
export interface VaultKeys {
  /** What unseals the nodes by itself: the shares are recovery shares then, and unseal nothing. */
  seal?: string | undefined;
  shares: string[];
  /** People hold the shares (custody.mode pgp): there are none here, and the token is the stack's own. */
  byHolders?: true;
  threshold: number;
  rootToken: string;
}

/** What is read of the values that Vault's release was given. */
const ReleaseInputs = z.object({
  values: z.object({
    global: z.object({ tlsDisable: z.boolean() }),
    server: z.object({
      ha: z.object({
        replicas: z.number(),
        raft: z.object({ config: z.string().optional() }).optional(),
      }),
      volumes: z
        .array(z.object({ name: z.string(), secret: z.object({ secretName: z.string() }).optional() }))
        .optional(),
    }),
  }),
});

/**
 * Opens the Vault of a stack that `up` has made, whole or in part.
 * @throws CommandError where there is no such stack, its state cannot be read, or it has no cluster
 */
export async function openVault(name: string): Promise<OpenVault> {
  const stack = new Stack(name);
  const resources = await resourcesOf(stack);
  await bringKubeconfig(stack);
  const target = targetOf(stack, resources);
  if (target === undefined)
    throw new CommandError(`Stack ${name} has no Vault yet. Make it with: npm run up -- --stack ${name}`);
  return { stack, resources, target, road: await openRoad(target), pods: podsOf(resources) };
}

/** What the state knows. Throws a CommandError where there is no such stack, or its state cannot be read. */
export async function resourcesOf(stack: Stack): Promise<Resource[]> {
  return await stack.resources().catch((error) => {
    if (!/no stack named/.test(words(error))) throw new CommandError(words(error));
    throw new CommandError(
      `There is no stack ${stack.name}. Make it with: npm run up -- --stack ${stack.name}`,
    );
  });
}

/**
 * Puts the kubeconfig of a cluster that exists into the stack's folder where it is not there: on a machine that has not
 * run the program yet. Throws where the stack's file names none that can be used.
 */
export async function bringKubeconfig(stack: Stack): Promise<void> {
  if (!clusterExists(stack.name) || existsSync(kubeconfigPath(stack.dir))) return;
  const { existing } = readStackFile(stack.name).settings.cluster;
  const { writeKubeconfig } = await import("../setup/kubeconfig.ts");
  if (existing) writeKubeconfig(existing, stack.dir);
}

/** Which Vault a stack has, and the way to it; undefined while it has none. */
export function targetOf(stack: Stack, resources: readonly Resource[]): OpenVault["target"] | undefined {
  const stackDir = relative(checkout, stack.dir);
  const kubeconfig = kubeconfigPath(stackDir);
  const namespace = resources.find(({ urn }) => urn.endsWith("::vault-namespace"))?.id;
  if (namespace === undefined || !existsSync(kubeconfig)) return undefined;
  const values = releaseValues(resources);
  const scheme = values?.global.tlsDisable === false ? "https" : "http";
  const tlsSecret = values?.server.volumes?.find(({ name }) => name === tlsVolume)?.secret?.secretName;
  const reach = { kind: "kubernetes", kubeconfig, namespace, ...(tlsSecret && { tlsSecret }) } as const;
  return { stack: stack.name, stackDir, scheme, reach, giveUp: [] };
}

/** The pods of the release that the state knows, vault-0 first; before there is one, those of the default. */
export function podsOf(resources: readonly Resource[]): string[] {
  const replicas = releaseValues(resources)?.server.ha.replicas ?? 3;
  return podNames(replicas);
}

function releaseValues(resources: readonly Resource[]) {
  const inputs = resources.find(({ urn }) => urn.endsWith("::vault-release"))?.inputs;
  return ReleaseInputs.safeParse(inputs).data?.values;
}

/** What unseals the nodes of the release that the state knows by itself; undefined: key shares do. */
export function sealOf(resources: readonly Resource[]): SealType | undefined {
  const seen = sealIn(releaseValues(resources)?.server.ha.raft?.config ?? "");
  return seen === undefined || seen.type === "shamir" ? undefined : seen.type;
}

const Outputs = z
  .object({
    rootToken: z.string().min(1),
    shares: z.array(z.string()).nullish(),
    recoveryShares: z.array(z.string()).nullish(),
    encryptedShares: z.object({ shares: z.array(z.unknown()) }).nullish(),
  })
  .transform(({ rootToken, shares, recoveryShares, encryptedShares }) => ({
    rootToken,
    shares: shares ?? recoveryShares ?? [],
    encrypted: encryptedShares?.shares.length ?? 0,
  }))
  .refine(({ shares, encrypted }) => shares.length + encrypted > 0);

/** The stack's keys: from its journal, else from its state; undefined before Vault was initialised. */
export async function vaultKeys({
  stack,
  target,
  resources,
}: Pick<OpenVault, "stack" | "resources"> & { target: Pick<Target, "stackDir"> }): Promise<
  VaultKeys | undefined
> {
  const journal = await readKeys(target.stackDir);
  const answer = journal?.answer;
  if (journal !== undefined && answer !== undefined)
    return {
      shares: answer.shares,
      rootToken: answer.rootToken,
      threshold: journal.threshold,
      ...(journal.seal !== undefined && { seal: journal.seal }),
    };
  if (journal?.token !== undefined)
    return { shares: [], byHolders: true, rootToken: journal.token, threshold: journal.threshold };
  return await stateKeys(stack, resources);
}

/** The keys that the stack's state holds, decrypted; undefined before Vault was initialised. */
export async function stateKeys(
  stack: Stack,
  resources: readonly Resource[],
): Promise<VaultKeys | undefined> {
  if (!resources.some(({ urn }) => urn.endsWith("::lifecycle-init-vault-0"))) return undefined;
  const outputs = Outputs.safeParse(await stack.outputs({ showSecrets: true }));
  if (!outputs.success) return undefined;
  // Vault says itself how many it wants; a majority is what the settings' default gives.
  const { shares, rootToken, encrypted } = outputs.data;
  const threshold = Math.ceil(((encrypted || shares.length) + 1) / 2);
  const seal = sealOf(resources);
  return {
    ...{ shares, rootToken, threshold },
    ...(encrypted > 0 && { byHolders: true as const }),
    ...(seal !== undefined && { seal }),
  };
}
