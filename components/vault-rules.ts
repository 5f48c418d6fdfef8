/** The chart values that the lifecycle relies on, each with the reason why a stack's own values cannot change it. */

import type { SealSettings } from "../settings/seals.ts";
import { vaultNodePort } from "./kind-config.ts";
import type { PodTls } from "./pod-tls.ts";
import { only, type Rule, remove } from "./rule.ts";
import { valueAt } from "./values-file.ts";

/** Where a node's volume for its audit log is mounted; the chart's own place. */
export const auditFolder = "/vault/audit";

/** What the program decides about the release. */
export interface Decided {
  replicas: number;
  /** Size of each node's volume, such as 10Gi. */
  storageSize: string;
  image: { repository: string; tag: string };
  /** A stack's own values may name another image: the cluster's nodes pull what they run. */
  ownImage?: boolean;
  /** Raft's timers times this; Vault's own is 5. */
  performanceMultiplier: number;
  /** Each node has a volume for its audit log. */
  audit?: boolean;
  /** Each node tells its metrics to whoever asks. */
  telemetry?: boolean;
  /** Vault is asked to tell whose a pod's token is. */
  backup?: boolean;
  /** Storage class of each node's volume; undefined: the values files', else the cluster's default one. */
  storageClass?: string | undefined;
  /** Port of every Kubernetes node at which Vault answers; 30000, as the cluster's configuration maps it. */
  nodePort?: number | undefined;
  /** The cluster is somebody else's: no port of this machine leads to it. */
  existing?: boolean;
  /** The secret with tls.crt, tls.key and ca.crt that the pods serve; without it they speak HTTP. */
  tls?: PodTls | undefined;
  /** What unseals the nodes by itself; without it key shares do. */
  seal?: SealSettings | undefined;
}

/** A node that is sealed or new answers 503 or 501 to Vault's health question, unless it is asked not to. */
const sparesSealed = (path: unknown) =>
  typeof path === "string" && /[?&]sealedcode=2\d\d/.test(path) && /[?&]uninitcode=2\d\d/.test(path);

/** The rules for one stack. Values that no rule names are the stack's own affair, and the chart's schema checks them. */
export function rules(decided: Decided): Rule[] {
  const { replicas, storageSize, storageClass, tls } = decided;
  const { audit = false, telemetry = false, backup = false, existing = false } = decided;
  const podNames =
    "The steps reach the pods as vault-0, vault-1, ... and join them as vault-N.vault-internal.";
  const haRaft = "The program raises a Vault that is highly available on Raft storage, and nothing else.";
  const notRaised = "The program brings no image for it and does not wait for it.";
  return [
    {
      key: "global.enabled",
      allowed: only(true),
      why: "Nothing would be installed that could be initialised.",
      instead: remove,
    },
    {
      key: "global.externalVaultAddr",
      allowed: only("", null),
      why: "With an outside Vault the chart installs none.",
      instead: remove,
    },
    {
      key: "global.namespace",
      allowed: only("", null),
      why: "The pods would stand in another namespace than the one the steps look in.",
      instead: "Remove the key and name the namespace: pulumi config set vault.namespace <name>",
    },
    {
      key: "global.tlsDisable",
      allowed: only(tls === undefined),
      why: `The steps and the probes speak ${tls ? "HTTPS" : "HTTP"} in this stack.`,
      instead: remove,
    },
    { key: "fullnameOverride", allowed: only("", "vault", null), why: podNames, instead: remove },
    { key: "nameOverride", allowed: only("", "vault", null), why: podNames, instead: remove },
    {
      key: "injector.enabled",
      allowed: only(false),
      mustBeSet: true,
      why: notRaised,
      instead: "Remove the key; install the injector as a release of its own.",
    },
    {
      key: "csi.enabled",
      allowed: only(false),
      why: notRaised,
      instead: "Remove the key; install the CSI provider as a release of its own.",
    },
    {
      key: "server.enabled",
      allowed: only(true, "-"),
      why: "Nothing would be installed that could be initialised.",
      instead: remove,
    },
    {
      key: "server.dev.enabled",
      allowed: only(false),
      why: `A development server keeps nothing and is never sealed. ${haRaft}`,
      instead: remove,
    },
    {
      key: "server.standalone.enabled",
      allowed: only(false, "-"),
      why: haRaft,
      instead: "Remove the key; for a single node: pulumi config set vault.replicas 1",
    },
    {
      key: "server.ha.enabled",
      allowed: only(true),
      mustBeSet: true,
      why: haRaft,
      instead: "Remove the key; for a single node: pulumi config set vault.replicas 1",
    },
    { key: "server.ha.raft.enabled", allowed: only(true), mustBeSet: true, why: haRaft, instead: remove },
    {
      key: "server.ha.raft.setNodeId",
      allowed: only(true),
      mustBeSet: true,
      why: "The steps find a node in Raft's list by its pod's name.",
      instead: remove,
    },
    {
      key: "server.ha.replicas",
      allowed: only(replicas),
      why: `This stack has ${replicas} (vault.replicas), and the steps follow that.`,
      instead: "Remove the key and set the number: pulumi config set vault.replicas <1, 3, 5 or 7>",
    },
    {
      key: "server.ha.clusterAddr",
      allowed: (value) => value === null || (typeof value === "string" && value.includes("$(")),
      why: "Every node needs an address of its own to be joined.",
      instead: "Remove the key, or use a variable of the pod: https://$(HOSTNAME).vault-internal:8201",
    },
    {
      key: "server.dataStorage.enabled",
      allowed: only(true),
      why: "A node that loses its data at a restart leaves the cluster for good.",
      instead: remove,
    },
    {
      key: "server.dataStorage.size",
      allowed: only(storageSize),
      why: `This stack's volumes have ${storageSize} (vault.storageSize).`,
      instead: "Remove the key and set the size: pulumi config set vault.storageSize <size>",
    },
    ...(storageClass === undefined
      ? []
      : [
          {
            key: "server.dataStorage.storageClass",
            allowed: only(storageClass, null),
            why: `This stack's volumes are of the class ${storageClass} (vault.storageClass).`,
            instead: "Remove the key, or the setting: pulumi config rm vault.storageClass",
          },
        ]),
    {
      key: "server.authDelegator.enabled",
      allowed: backup ? only(true, null) : () => true,
      why: "Scheduled snapshots (backup.schedule) log in by a pod's token, and Vault asks Kubernetes whose it is.",
      instead: remove,
    },
    {
      key: "server.auditStorage.enabled",
      allowed: (value) => value === null || value === audit || (value === true && !audit),
      why: "This stack writes an audit log (audit.enabled), and that goes to a volume of its own.",
      instead: remove,
    },
    {
      key: "server.auditStorage.mountPath",
      allowed: audit ? only(auditFolder, null) : () => true,
      why: `The audit log is ${auditFolder}/audit.log.`,
      instead: remove,
    },
    {
      key: "server.dataStorage.mountPath",
      allowed: only("/vault/data"),
      why: "Raft's storage path is /vault/data; data outside the volume is gone when the pod restarts.",
      instead: remove,
    },
    ...imageRules(decided),
    {
      key: "server.updateStrategyType",
      allowed: only("OnDelete"),
      why: "Kubernetes would restart the pods by itself, the leader like any other, and each comes back sealed.",
      instead: remove,
    },
    {
      key: "server.service.enabled",
      allowed: only(true),
      why: "The pods find each other through the service vault-internal.",
      instead: remove,
    },
    ...(tls?.watched
      ? [
          {
            key: "server.shareProcessNamespace",
            allowed: only(true),
            why: "The container certificate-watch tells Vault of a renewed certificate (vault.tls.source secret).",
            instead: remove,
          },
        ]
      : []),
    ...(telemetry
      ? [
          {
            key: "server.annotations",
            allowed: (value: unknown) =>
              value === null || (typeof value === "object" && !Array.isArray(value)),
            why: "This stack's nodes tell their metrics (telemetry.enabled), and an annotation of the pods has them read that.",
            instead: "Write a map: a key and its value a line.",
          },
        ]
      : []),
    ...["volumes", "volumeMounts", "extraContainers", "extraSecretEnvironmentVars"].map((name) => ({
      key: `server.${name}`,
      allowed: (value: unknown) => value === null || Array.isArray(value),
      why: "The chart puts the items of a list into the pods.",
      instead: "Write a list: each item begins with a dash.",
    })),
    ...["VAULT_RAFT_NODE_ID", "VAULT_RAFT_PATH", "VAULT_CLUSTER_ADDR"].map((name) => ({
      key: `server.extraEnvironmentVars.${name}`,
      allowed: () => false,
      why: "It would be the same in every pod and stand above the configuration, so the nodes could not be told apart or would not find their data.",
      instead: remove,
    })),
    {
      key: "server.extraEnvironmentVars.VAULT_SEAL_TYPE",
      allowed: () => false,
      why: "It would stand above the configuration, and the program has to know the seal.",
      instead: "Remove the key, and: pulumi config set vault.seal.type <transit, awskms, ...> (docs/seal.md)",
    },
    {
      key: "server.livenessProbe.enabled",
      allowed: (value, all) => {
        const probe = (key: string) => valueAt(all, `server.livenessProbe.${key}`);
        const command = probe("execCommand");
        return (
          value !== true || (Array.isArray(command) && command.length > 0) || sparesSealed(probe("path"))
        );
      },
      why: "With the path that is set, Kubernetes kills a pod that waits to be initialised or unsealed, again and again.",
      instead: "Add: server.livenessProbe.path: /v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204",
    },
    {
      key: "ui.enabled",
      allowed: only(true),
      mustBeSet: true,
      why: "Vault is reached from outside through the service vault-ui.",
      instead: remove,
    },
    ...(existing ? [] : mappedPort(decided)),
    { key: "ui.targetPort", allowed: only(8200), why: "Vault listens on 8200.", instead: remove },
  ];
}

/** Which image the pods run. The node image of a closed network holds one Vault, and nothing is pulled there. */
function imageRules({ image, ownImage = false }: Decided): Rule[] {
  const why = ownImage
    ? "It is text, and names a version: unquoted, YAML reads 1.21 as a number."
    : `This cluster's nodes hold ${image.repository}:${image.tag} and pull no other.`;
  const isText = (value: unknown) => typeof value === "string" && /^[\w][\w./:@-]*$/.test(value);
  return (["repository", "tag"] as const).map((name) => ({
    key: `server.image.${name}`,
    allowed: ownImage ? isText : only(image[name]),
    why,
    instead: ownImage ? `Write it in quotes: ${name}: "${image[name]}"` : remove,
  }));
}

/** On kind a port of this machine leads to one port of the nodes. */
function mappedPort({ nodePort = vaultNodePort }: Decided): Rule[] {
  return [
    {
      key: "ui.serviceType",
      allowed: only("NodePort"),
      mustBeSet: true,
      why: `This machine's port leads to node port ${nodePort}.`,
      instead: remove,
    },
    {
      key: "ui.serviceNodePort",
      allowed: only(nodePort),
      why: `This machine's port leads to node port ${nodePort}.`,
      instead: "Remove the key; the port on this machine: pulumi config set cluster.ports.vault <port>",
    },
  ];
}
