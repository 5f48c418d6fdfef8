/** Settings of Vault itself: its nodes, its certificate, what opens it. */
import { z } from "zod";
import { dnsLabel, hostName, path, paths, setting, whole, yesNo } from "./rule.ts";
import { sealSettings } from "./seals.ts";

export const vaultSettings = {
  "vault.namespace": setting(dnsLabel, "vault", "name", "Kubernetes namespace of the Vault release."),
  "vault.replicas": setting(
    z
      .enum(
        ["1", "3", "5", "7"],
        "takes 1, 3, 5 or 7: an even number of voters tolerates no more failures than one fewer",
      )
      .transform(Number),
    "3",
    "pods",
    "Vault nodes; each is a Raft voter.",
  ),
  "vault.shares": setting(
    whole(1, 255),
    "5",
    "shares",
    "Key shares the unseal key is split into at initialisation; with a seal (`vault.seal.type`), recovery shares.",
  ),
  "vault.threshold": setting(
    whole(1, 255),
    "3",
    "shares",
    "Key shares needed to unseal a node; with a seal, recovery shares needed for a root token or a rekey.",
  ),
  "vault.storageSize": setting(
    z.string().regex(/^[1-9]\d*(Mi|Gi|Ti)$/, "takes a size such as 10Gi"),
    "10Gi",
    "size",
    "Size of each Vault node's volume.",
  ),
  "vault.storageClass": setting(
    hostName,
    undefined,
    "name",
    "Storage class of each Vault node's volume. Unless set, the cluster's default one.",
  ),
  "vault.giveUp": setting(
    z
      .string()
      .regex(/^[\w.:-]+(,[\w.:-]+)*$/, "takes identities as an error named them, separated by commas")
      .transform((text) => text.split(",")),
    undefined,
    "ids",
    "Stores (UIDs of their PVCs) or Vaults (cluster ids) that are lost on purpose: another may take their place.",
  ),
  "vault.host": setting(
    hostName,
    "vault.localhost",
    "host name",
    "Host under which the ingress serves Vault: its API and its UI.",
  ),
  "vault.tls.enabled": setting(
    yesNo,
    "true",
    "true or false",
    "Whether Vault speaks HTTPS, to everybody. In `dev` it is off.",
  ),
  "vault.tls.source": setting(
    z.enum(["selfSigned", "secret", "files"], "takes selfSigned, secret or files"),
    "selfSigned",
    "source",
    "Whose certificate Vault shows: one of this stack's own authority, one that a Secret in Vault's namespace holds, or one from files.",
  ),
  "vault.tls.secretName": setting(
    hostName,
    undefined,
    "name",
    "For the source secret: a Secret of type kubernetes.io/tls with tls.crt, tls.key and ca.crt, as cert-manager makes it.",
  ),
  "vault.tls.certFile": setting(
    path("a PEM file"),
    undefined,
    "path",
    "For the source files: the certificate, and what lies between it and its authority.",
  ),
  "vault.tls.keyFile": setting(
    path("a PEM file"),
    undefined,
    "path",
    "For the source files: the certificate's private key.",
  ),
  "vault.tls.caFile": setting(
    path("a PEM file"),
    undefined,
    "path",
    "For the source files: the authority that clients trust.",
  ),
  ...sealSettings,
  "vault.valuesFile": setting(
    path("a YAML file"),
    undefined,
    "path",
    "Your own Helm values, merged over examples/vault-ha-values.yaml.",
  ),
  "custody.mode": setting(
    z.enum(["stack", "pgp"], "takes stack or pgp"),
    "stack",
    "mode",
    "Who holds the key shares: the stack, in its state and its journal; or people, to whose PGP keys Vault encrypts them. Has to be chosen before the first update.",
  ),
  "custody.holders": setting(
    paths,
    undefined,
    "paths",
    "For the mode pgp: files with the holders' public keys, one for each share (vault.shares), separated by commas.",
  ),
  "custody.rootHolder": setting(
    path("a public key"),
    undefined,
    "path",
    "For the mode pgp: the file with the public key of whoever gets the root token.",
  ),
  "raft.performanceMultiplier": setting(
    whole(1, 10),
    "5",
    "multiple",
    "Raft's timers times this. The others replace a dead leader after 5 to 15 s at 5 (Vault's own) and after 1 to 3 s at 1. A running node takes another value when it is started again.",
  ),
};
