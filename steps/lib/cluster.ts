import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DockerError, docker, dockerLines } from "./docker.ts";
import { words } from "./errors.ts";
import { Timeout } from "./io.ts";
import { keepAside, keysPath, readKeys } from "./keys-file.ts";
import { savedElsewhere, snapshotFiles } from "./snapshot-record.ts";
import { lockFiles } from "./stack-lock.ts";
import { authorityPath } from "./tls-secret.ts";

/** The input of create-cluster and of delete-cluster, which is given the same. */
export const ClusterInput = Timeout.extend({
  /** kind's name of the cluster; everything that is made or removed carries it. */
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, "must be lower-case letters, digits, dots and dashes"),
  /** kind's cluster configuration (YAML). */
  config: z.string().min(1),
  stackDir: z.string().min(1),
  /** The Docker network of the nodes. */
  network: z.string().min(1),
  /** The node image, where the configuration does not name one. */
  nodeImage: z.string().min(1).optional(),
});
export type ClusterInput = z.output<typeof ClusterInput>;

/** One container of the cluster. */
export interface ClusterNode {
  id: string;
  name: string;
  running: boolean;
}

/** The cluster's containers, by the label that kind gives them. */
export async function clusterNodes(name: string): Promise<ClusterNode[]> {
  const label = `label=io.x-k8s.kind.cluster=${name}`;
  const format = "{{.ID}} {{.Names}} {{.State}}";
  const lines = await dockerLines("ps", "--all", "--no-trunc", "--filter", label, "--format", format);
  return lines.map((line) => {
    const [id = "", name = "", state] = line.split(" ");
    return { id, name, running: state === "running" };
  });
}

/** The container of the one control-plane. */
export function controlPlane(name: string): string {
  return `${name}-control-plane`;
}

/** Stands for what a cluster was made from. */
export function fingerprint({ config, nodeImage = "" }: ClusterInput): string {
  return createHash("sha256").update(`${nodeImage}\n${config}`).digest("hex");
}

/**
 * Removes the cluster's containers with their volumes, and its network. Nothing of another name.
 * @returns what was removed, and what of it was not there
 */
export async function removeCluster({
  name,
  network,
}: ClusterInput): Promise<{ removed: string[]; missing: string[] }> {
  const removed: string[] = [];
  const missing: string[] = [];
  const nodes = await clusterNodes(name);
  if (nodes.length === 0) missing.push("nodes");
  else {
    const ids = nodes.map(({ id }) => id);
    const volumes = await volumesOf(ids);
    await docker("rm", "--force", "--volumes", ...ids);
    for (const volume of volumes) await ignoreMissing(docker("volume", "rm", volume));
    removed.push(...nodes.map(({ name }) => name));
  }
  const left = await clusterNodes(name);
  if (left.length > 0) throw new Error(`still there: ${left.map(({ name }) => name).join(", ")}`);
  if (await removeNetwork(network)) removed.push(`network ${network}`);
  else missing.push(`network ${network}`);
  return { removed, missing };
}

async function volumesOf(ids: readonly string[]): Promise<string[]> {
  const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}';
  return (await dockerLines("inspect", "--format", format, ...ids)).map((line) => line.trim());
}

async function removeNetwork(network: string): Promise<boolean> {
  // kind's own default is shared by all clusters of this machine.
  if (network === "kind") return false;
  // Docker's filter takes parts of names, too.
  const found = await dockerLines(
    "network",
    "ls",
    "--filter",
    `name=${network}`,
    "--format",
    "{{.ID}} {{.Name}}",
  );
  const ids = found.map((line) => line.split(" ")).filter(([, name]) => name === network);
  for (const [id = ""] of ids) await ignoreMissing(docker("network", "rm", id));
  return ids.length > 0;
}

async function ignoreMissing(command: Promise<string>): Promise<void> {
  await command.catch((error) => {
    if (!(error instanceof DockerError && error.missing)) throw error;
  });
}

/** How the names begin of the copies of Helm's notes that `npm run adopt` keeps. Helm names its Secrets so. */
export const helmNotes = "sh.helm.release.";

/** The path of a stack's kubeconfig. */
export function kubeconfigPath(stackDir: string): string {
  return join(stackDir, "kubeconfig");
}

/** Removes half-written kubeconfigs, and kind's locks of them, which a killed run left. */
export async function removeTemporaries(stackDir: string): Promise<void> {
  const names = await readdir(stackDir).catch(() => []);
  for (const name of names.filter((name) => name.startsWith("kubeconfig.tmp-"))) {
    await rm(join(stackDir, name), { force: true });
  }
}

/**
 * Removes the files of a cluster that is gone: kubeconfig, the authority and the keys of its Vault (whose store went
 * with it), and the folder if nothing else is in it. Where snapshots are, their keys stay beside them, under another
 * name, so that they do not stand in the way of the next Vault.
 * @returns what else is in the folder
 */
export async function removeFiles(stackDir: string): Promise<string[]> {
  await removeTemporaries(stackDir);
  const snapshots = [...(await snapshotFiles(stackDir)), ...(await savedElsewhere(stackDir))];
  if (existsSync(keysPath(stackDir)) && snapshots.length > 0) {
    const clusterId = (await readKeys(stackDir))?.custody?.clusterId;
    await keepAside(stackDir, clusterId ?? new Date().toISOString());
  }
  for (const path of [kubeconfigPath(stackDir), authorityPath(stackDir)]) await rm(path, { force: true });
  // What the holders of shares were given opens nothing without the keys that it is encrypted to.
  await rm(join(stackDir, "custody"), { recursive: true, force: true });
  const names = await readdir(stackDir).catch(() => []);
  const keys = keysPath("");
  // Also a temporary one of a run that was killed while it wrote.
  for (const name of names.filter(
    (name) =>
      name === keys || (name.startsWith(`${keys}.`) && name.endsWith(".tmp")) || name.startsWith(helmNotes),
  )) {
    await rm(join(stackDir, name), { force: true });
  }
  // This step holds the lock; the next one makes its own.
  for (const file of lockFiles) await rm(join(stackDir, file), { force: true });
  try {
    await rmdir(stackDir);
    return [];
  } catch (error) {
    const left = await readdir(stackDir).catch(() => []);
    if (left.length === 0 && !/ENOENT/.test(words(error))) throw error;
    return left;
  }
}
