/** The chart values that a stack's settings decide, beside those of every stack (vault-fixed-rules.ts). */
import type { SealSettings } from "../settings/seals.ts";
import { vaultNodePort } from "./kind-config.ts";
import type { PodTls } from "./pod-tls.ts";
import { only, type Rule, remove } from "./rule.ts";
import { fixedRules } from "./vault-fixed-rules.ts";

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

/** The rules for one stack. Values that no rule names are the stack's own affair, and the chart's schema checks them. */
export function rules(decided: Decided): Rule[] {
  const { replicas, storageSize, storageClass, tls } = decided;
  const { audit = false, telemetry = false, backup = false, existing = false } = decided;
  return [
    ...fixedRules,
    {
      key: "global.tlsDisable",
      allowed: only(tls === undefined),
      why: `The steps and the probes speak ${tls ? "HTTPS" : "HTTP"} in this stack.`,
      instead: remove,
    },
    {
      key: "server.ha.replicas",
      allowed: only(replicas),
      why: `This stack has ${replicas} (vault.replicas), and the steps follow that.`,
      instead: "Remove the key and set the number: pulumi config set vault.replicas <1, 3, 5 or 7>",
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
    ...imageRules(decided),
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
    ...(existing ? [] : mappedPort(decided)),
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
