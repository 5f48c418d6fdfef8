/** The list of settings: each key once, with its rule, default, unit and what it gives. docs/settings.md shows it. */
import { isIP } from "node:net";
import { Cron } from "croner";
import { z } from "zod";
import { sealSettings } from "./seals.ts";

/** One setting: its rule, its default as it would be typed, its unit, and what it gives. */
export interface Setting<T = unknown> {
  schema: z.ZodType<T, string>;
  /** As typed on the command line; undefined = the setting has no value unless somebody gives one. */
  fallback: string | undefined;
  unit: string;
  gives: string;
}

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `takes a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `takes a whole number from ${min} to ${max}`);
const port = whole(1, 65535);
const yesNo = z
  .string()
  .regex(/^(true|false)$/, "takes true or false")
  .transform((text) => text === "true");
const dnsLabel = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, "takes lower-case letters, digits and -");
const hostName = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "takes a host name in lower case",
  );

const cronRule = "takes a cron expression of five fields such as 0 */6 * * *, in UTC, that comes round";
/** As Kubernetes reads it: minute, hour, day, month, weekday. Nothing that only other crons know. */
const cron = z
  .string()
  .regex(/^[\d*,/-]+ [\d*,/-]+ [\d*,/-]+ [\d*,/A-Za-z-]+ [\d*,/A-Za-z-]+$/, cronRule)
  .refine((text) => {
    try {
      return new Cron(text, { mode: "5-part", timezone: "Etc/UTC" }).nextRun() !== null;
    } catch {
      return false;
    }
  }, cronRule);

const path = (what: string) => z.string().regex(/^\P{Cc}+$/u, `takes the path of ${what}`);
const pathsRule = "takes the paths of public keys, separated by commas";
const paths = z
  .string()
  .regex(/^\P{Cc}+$/u, pathsRule)
  .transform((text) => text.split(",").map((each) => each.trim()))
  .refine((each) => each.every((path) => path !== ""), pathsRule);

const setting = <T>(
  schema: z.ZodType<T, string>,
  fallback: string | undefined,
  unit: string,
  gives: string,
) => ({ schema, fallback, unit, gives }) satisfies Setting<T>;

/** All settings. The order is the order of docs/settings.md. */
export const settingList = {
  "cluster.driver": setting(
    z.enum(["kind", "existing"], "takes kind or existing"),
    "kind",
    "driver",
    "Which Kubernetes cluster Vault goes to: one that kind makes on this machine, or one that exists.",
  ),
  "cluster.context": setting(
    z.string().min(1, "takes the name of a context"),
    undefined,
    "name",
    "For the driver existing: the kubeconfig's context, named so that no other cluster is taken by accident.",
  ),
  "cluster.kubeconfig": setting(
    path("a kubeconfig"),
    undefined,
    "path",
    "For the driver existing: the kubeconfig. Unless set, $KUBECONFIG, then ~/.kube/config.",
  ),
  "cluster.workers": setting(
    whole(1, 20),
    undefined,
    "nodes",
    "Worker nodes of the kind cluster. Follows vault.replicas unless set.",
  ),
  "cluster.listenAddress": setting(
    z.string().refine((text) => isIP(text) !== 0, "takes an IP address"),
    "127.0.0.1",
    "IP address",
    "Address of this machine on which the cluster's ports listen.",
  ),
  "cluster.ports.http": setting(
    port,
    "8080",
    "port",
    "Port of this machine for the ingress over HTTP (80 in the cluster).",
  ),
  "cluster.ports.https": setting(
    port,
    "8443",
    "port",
    "Port of this machine for the ingress over HTTPS (443 in the cluster).",
  ),
  "cluster.ports.vault": setting(
    port,
    "30000",
    "port",
    "Port of this machine for Vault's API and UI (NodePort 30000 in the cluster).",
  ),
  "cluster.ports.spare": setting(
    port,
    "30001",
    "port",
    "Port of this machine for NodePort 30001, free for a service of your own.",
  ),
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
  "audit.enabled": setting(
    yesNo,
    "false",
    "true or false",
    "Whether each node writes an audit log, to a volume of its own. Has to be chosen before the first update.",
  ),
  "telemetry.enabled": setting(
    yesNo,
    "false",
    "true or false",
    "Whether each node tells its metrics, without a token, at `/v1/sys/metrics`; and whether a ServiceMonitor is declared where the cluster knows them.",
  ),
  "telemetry.monitorLabels": setting(
    z
      .string()
      .regex(
        /^[\w./-]+=[\w.-]*(,[\w./-]+=[\w.-]*)*$/,
        "takes labels such as release=prometheus, separated by commas",
      )
      .transform((text) =>
        Object.fromEntries(text.split(",").map((each) => each.split("=") as [string, string])),
      ),
    "release=prometheus",
    "labels",
    "Labels of the ServiceMonitor, by which a Prometheus chooses what it scrapes. The default is the Vault chart's own.",
  ),
  "backup.schedule": setting(
    cron,
    undefined,
    "cron",
    "When a snapshot is saved in the cluster, in UTC: 0 */6 * * * is every six hours. Unless set, never.",
  ),
  "backup.keep": setting(whole(1, 50), "14", "snapshots", "How many of the scheduled snapshots are kept."),
  "backup.size": setting(
    z.string().regex(/^[1-9]\d*(Mi|Gi|Ti)$/, "takes a size such as 10Gi"),
    "10Gi",
    "size",
    "Size of the volume that scheduled snapshots go to. It has to hold one more than are kept.",
  ),
  "backup.bucket.name": setting(
    z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        "takes a bucket's name: lower-case letters, digits, . and -",
      ),
    undefined,
    "name",
    "The bucket, S3 or what speaks it, that scheduled snapshots go to in place of a volume. It has to be there.",
  ),
  "backup.bucket.endpoint": setting(
    z
      .string()
      .regex(
        /^https?:\/\/[\w.-]+(:\d{1,5})?$/,
        "takes an address such as https://s3.example.com, without a path",
      ),
    undefined,
    "URL",
    "Where the bucket is served, as a pod reaches it. Unless set, Amazon's S3 of the region.",
  ),
  "backup.bucket.insecure": setting(
    yesNo,
    "false",
    "true or false",
    "Whether the endpoint may be http://. What is in a snapshot is encrypted all the same; names and sizes are not.",
  ),
  "backup.bucket.region": setting(
    z.string().regex(/^[a-z0-9-]{1,40}$/, "takes a region such as eu-central-1"),
    "us-east-1",
    "region",
    "The bucket's region. Many servers other than Amazon's take any.",
  ),
  "backup.bucket.prefix": setting(
    z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/, "takes a path such as vault/prod, without / at its ends"),
    "vault-ha",
    "path",
    "What the names of this program's objects begin with; the stack's name follows.",
  ),
  "backup.bucket.secretName": setting(
    hostName,
    undefined,
    "name",
    "A Secret in Vault's namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Unless set, the pod's own identity in the cloud.",
  ),
  "backup.bucket.pathStyle": setting(
    yesNo,
    undefined,
    "true or false",
    "Whether the bucket is a part of the path, not of the host name. Unless set, true with an endpoint.",
  ),
  "ingress.controller": setting(
    z.enum(["nginx", "traefik"], "takes nginx or traefik"),
    "nginx",
    "controller",
    "What serves the Ingresses: ingress-nginx, which is retired, or Traefik, which reads the same class and annotations.",
  ),
  "ingress.valuesFile": setting(
    path("a YAML file"),
    undefined,
    "path",
    "Your own Helm values for ingress-nginx, merged over the program's.",
  ),
  "whoami.enabled": setting(
    yesNo,
    "true",
    "true or false",
    "Whether a small test application is put behind the ingress.",
  ),
  "whoami.host": setting(
    hostName,
    "whoami.localhost",
    "host name",
    "Host under which the ingress serves the test application.",
  ),
  "teardown.retainData": setting(
    yesNo,
    undefined,
    "true or false",
    "Whether destroy leaves the namespace, Vault's volumes (PVCs) and its keys. Unless set, true on a cluster that exists; a kind cluster takes them with it.",
  ),
  "teardown.protected": setting(
    yesNo,
    "false",
    "true or false",
    "Whether the stack is protected: pulumi destroy refuses, and npm run down wants the stack's name.",
  ),
  "timeouts.clusterSeconds": setting(
    whole(10, 7200),
    "300",
    "seconds",
    "Longest time for kind to make the cluster.",
  ),
  "timeouts.podSeconds": setting(
    whole(10, 7200),
    "300",
    "seconds",
    "Longest wait for the Vault pods' containers to run.",
  ),
  "timeouts.stepSeconds": setting(
    whole(10, 7200),
    "300",
    "seconds",
    "Longest time for one step: init, unseal, join, voter or verify.",
  ),
};

/** Name of a setting. */
export type Key = keyof typeof settingList;
