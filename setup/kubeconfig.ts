/** The kubeconfig of a cluster that somebody else has made: one context of it, in the stack's own folder. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import type { ExistingSettings } from "../settings/choices.ts";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import { words } from "../steps/lib/errors.ts";

/**
 * Writes the one context that the settings name into the stack's folder (mode 0600), with the files that it refers to
 * in it, so that everything after reads one file and no other cluster can be meant.
 * @returns the file's path
 * @throws RunError where there is no such kubeconfig or context
 */
export function writeKubeconfig({ context, kubeconfig }: ExistingSettings, stackDir: string): string {
  const path = kubeconfigPath(stackDir);
  const files = kubeconfig === undefined ? usualFiles() : [kubeconfig];
  const text = JSON.stringify(oneContext(read(files), context, files.join(", ")), null, 2);
  mkdirSync(stackDir, { recursive: true, mode: 0o700 });
  if (existsSync(path) && readFileSync(path, "utf8") === text) return path;
  const fresh = `${path}.tmp-${process.pid}`;
  writeFileSync(fresh, text, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
  return path;
}

/** Where kubectl looks: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
function usualFiles(): string[] {
  const given = process.env.KUBECONFIG?.split(delimiter).filter((file) => file !== "" && existsSync(file));
  return given?.length ? given : [join(homedir(), ".kube/config")];
}

function read(files: string[]): KubeConfig[] {
  return files.map((file) => {
    const config = new KubeConfig();
    try {
      config.loadFromFile(file);
    } catch (error) {
      throw refusal(`${file} cannot be read: ${words(error)}`, "pulumi config set cluster.kubeconfig <path>");
    }
    return config;
  });
}

/** As with kubectl, the first file that has a name counts. */
function oneContext(configs: KubeConfig[], name: string, files: string): object {
  const context = first(configs, (config) => config.getContextObject(name));
  if (context === undefined) {
    const there = configs.flatMap(({ contexts }) => contexts.map(({ name }) => name)).join(", ") || "none";
    throw refusal(
      `there is no context ${name} (cluster.context) in ${files}; there are: ${there}`,
      "pulumi config set cluster.context <name>",
    );
  }
  const cluster = first(configs, (config) => config.getCluster(context.cluster));
  const user = first(configs, (config) => config.getUser(context.user));
  if (cluster === undefined || user === undefined)
    throw refusal(
      `the context ${name} in ${files} names the cluster ${context.cluster} and the user ${context.user}; ${cluster ? "that user" : "that cluster"} is not there`,
      "kubectl config view",
    );
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: cluster.name, user: user.name } }],
    clusters: [{ name: cluster.name, cluster: clusterFields(cluster) }],
    users: [{ name: user.name, user: userFields(user) }],
  };
}

function first<T>(configs: KubeConfig[], find: (config: KubeConfig) => T | null): T | undefined {
  for (const config of configs) {
    const found = find(config);
    if (found !== null) return found;
  }
  return undefined;
}

const clusterFields = (cluster: Cluster) => ({
  server: cluster.server,
  "certificate-authority-data": cluster.caData ?? inlined(cluster.caFile),
  ...(cluster.skipTLSVerify && { "insecure-skip-tls-verify": true }),
  "tls-server-name": cluster.tlsServerName,
  "proxy-url": cluster.proxyUrl,
});

const userFields = (user: User) => ({
  "client-certificate-data": user.certData ?? inlined(user.certFile),
  "client-key-data": user.keyData ?? inlined(user.keyFile),
  token: user.token,
  username: user.username,
  password: user.password,
  as: user.impersonateUser,
  exec: user.exec ?? undefined,
  "auth-provider": user.authProvider ?? undefined,
});

function inlined(file: string | undefined): string | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file, "base64");
  } catch (error) {
    throw refusal(`the kubeconfig refers to ${file}: ${words(error)}`, `ls -l ${file}`);
  }
}

function refusal(what: string, next: string): pulumi.RunError {
  return new pulumi.RunError(
    `The existing cluster's kubeconfig cannot be used; nothing was changed.\n  ${what}\n    ${next}`,
  );
}
