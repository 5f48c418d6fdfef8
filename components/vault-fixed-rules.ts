/**
 * The chart values that the lifecycle relies on in every stack, each with the reason why a stack's own values cannot
 * change it.
 */
import { only, type Rule, remove } from "./rule.ts";
import { valueAt } from "./values-file.ts";

const podNames = "The steps reach the pods as vault-0, vault-1, ... and join them as vault-N.vault-internal.";
const haRaft = "The program raises a Vault that is highly available on Raft storage, and nothing else.";
const notRaised = "The program brings no image for it and does not wait for it.";

/** A node that is sealed or new answers 503 or 501 to Vault's health question, unless it is asked not to. */
const sparesSealed = (path: unknown) =>
  typeof path === "string" && /[?&]sealedcode=2\d\d/.test(path) && /[?&]uninitcode=2\d\d/.test(path);

/** They hold whatever the settings say; the others are in vault-rules.ts. */
export const fixedRules: readonly Rule[] = [
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
    key: "server.dataStorage.mountPath",
    allowed: only("/vault/data"),
    why: "Raft's storage path is /vault/data; data outside the volume is gone when the pod restarts.",
    instead: remove,
  },
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
      return value !== true || (Array.isArray(command) && command.length > 0) || sparesSealed(probe("path"));
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
  { key: "ui.targetPort", allowed: only(8200), why: "Vault listens on 8200.", instead: remove },
];
