/**
 * A Standalone as Helm's official chart makes it with server.standalone: one node on the storage "file". The closed
 * network's chart knows none, so its objects are written out, with Helm's marks on them and Helm's note beside them.
 */
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { poll } from "../../setup/processes.ts";
import { loadSources } from "../../sources.ts";
import type { PrintedKeys } from "./made-by-hand.ts";
import type { OutsideCluster } from "./outside-cluster.ts";
import { vaultWithFiles } from "./vault-with-files.ts";

const namespace = "vault";
const marks = {
  labels: {
    "app.kubernetes.io/name": "vault",
    "app.kubernetes.io/instance": "vault",
    "app.kubernetes.io/managed-by": "Helm",
  },
  annotations: { "meta.helm.sh/release-name": "vault", "meta.helm.sh/release-namespace": namespace },
};
const selector = {
  "app.kubernetes.io/name": "vault",
  "app.kubernetes.io/instance": "vault",
  component: "server",
};

/** Where the program that knows the storage is put on each Kubernetes node. */
const program = "/opt/vault-with-files";

const config = `ui = true
listener "tcp" {
  tls_disable = 1
  address = "[::]:8200"
  cluster_address = "[::]:8201"
}
storage "file" {
  path = "/vault/data"
}
disable_mlock = true
`;

/** Makes one, initialises and unseals it, and writes a value. */
export async function makeStandalone(cluster: OutsideCluster): Promise<PrintedKeys> {
  const closed = loadSources().images === "closed";
  if (closed) await bringProgram(cluster);
  await cluster.kubectl("create", "namespace", namespace);
  const { image } = loadSources().vault;
  const object = (apiVersion: string, kind: string, name: string, more: object) => ({
    apiVersion,
    kind,
    metadata: { name, namespace, ...marks },
    ...more,
  });
  const service = (name: string, more: object) =>
    object("v1", "Service", name, {
      spec: {
        selector,
        publishNotReadyAddresses: true,
        ports: [
          { name: "http", port: 8200, targetPort: 8200 },
          { name: "https-internal", port: 8201, targetPort: 8201 },
        ],
        ...more,
      },
    });
  const objects = [
    object("v1", "ServiceAccount", "vault", {}),
    object("v1", "ConfigMap", "vault-config", { data: { "extraconfig-from-values.hcl": config } }),
    service("vault", {}),
    service("vault-internal", { clusterIP: "None" }),
    object("apps/v1", "StatefulSet", "vault", statefulSet(`${image.repository}:${image.tag}`, closed)),
    helmsNote(),
  ];
  await execa("kubectl", ["--kubeconfig", cluster.kubeconfig, "apply", "--filename", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  });
  const vault = (...args: string[]) =>
    cluster.kubectl("exec", "vault-0", "--namespace", namespace, "--", "vault", ...args);
  const printed = await poll(
    () =>
      vault("operator", "init", "-key-shares=3", "-key-threshold=2", "-format=json").catch(() => undefined),
    { forMs: 120_000, everyMs: 500 },
  );
  const keys: PrintedKeys = JSON.parse(printed ?? "{}");
  for (const share of keys.unseal_keys_b64.slice(0, 2)) await vault("operator", "unseal", share);
  return keys;
}

function statefulSet(image: string, closed: boolean) {
  const mounts = [
    { name: "data", mountPath: "/vault/data" },
    { name: "config", mountPath: "/vault/config" },
    ...(closed ? [{ name: "program", mountPath: "/usr/local/bin/vault" }] : []),
  ];
  return {
    spec: {
      serviceName: "vault-internal",
      podManagementPolicy: "Parallel",
      replicas: 1,
      updateStrategy: { type: "OnDelete" },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: {
          serviceAccountName: "vault",
          securityContext: { runAsNonRoot: true, runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 },
          terminationGracePeriodSeconds: 10,
          volumes: [
            { name: "config", configMap: { name: "vault-config" } },
            ...(closed ? [{ name: "program", hostPath: { path: program, type: "File" } }] : []),
          ],
          containers: [
            {
              name: "vault",
              image,
              imagePullPolicy: "IfNotPresent",
              securityContext: { allowPrivilegeEscalation: false },
              command: ["sh", "-ec", "exec vault server -config=/vault/config/extraconfig-from-values.hcl"],
              env: [
                { name: "VAULT_ADDR", value: "http://127.0.0.1:8200" },
                { name: "VAULT_API_ADDR", value: "http://127.0.0.1:8200" },
                { name: "HOME", value: "/tmp" },
              ],
              volumeMounts: mounts,
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  };
}

/** As Helm writes it: JSON, packed, in base64, in a Secret. */
function helmsNote() {
  const note = {
    name: "vault",
    namespace,
    version: 1,
    info: { status: "deployed" },
    chart: { metadata: { name: "vault", version: "0.30.0" }, values: {} },
    config: { server: { standalone: { enabled: true } } },
    manifest: "---\nkind: StatefulSet\nmetadata:\n  name: vault\n",
  };
  const release = Buffer.from(gzipSync(JSON.stringify(note)).toString("base64")).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "helm.sh/release.v1",
    metadata: {
      name: "sh.helm.release.v1.vault.v1",
      namespace,
      labels: { owner: "helm", name: "vault", status: "deployed", version: "1" },
    },
    data: { release },
  };
}

async function bringProgram(cluster: OutsideCluster): Promise<void> {
  const from = `${await vaultWithFiles()}/vault`;
  const nodes = (await cluster.kubectl("get", "nodes", "--output", "name")).split("\n");
  const copy = (node: string) => execa("docker", ["cp", from, `${node.replace("node/", "")}:${program}`]);
  await Promise.all(nodes.map(copy));
}
