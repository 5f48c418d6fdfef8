/** Settings of what comes after the first day: audit, metrics, backups, the end of a stack; and how long steps may take. */
import { z } from "zod";
import { cron, hostName, setting, whole, yesNo } from "./rule.ts";

export const dayTwoSettings = {
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
