/** Makes the values for the Vault chart: the example's, the stack's own over them, the settings over both. */

import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import type { Sources } from "../sources.ts";
import { tlsFolder, tlsVolume } from "../steps/lib/tls-secret.ts";
import { certificateWatch } from "./certificate-watch.ts";
import { vaultNodePort } from "./kind-config.ts";
import { type PodTls, podTls } from "./pod-tls.ts";
import { mergeValues, readValuesFile, show, type Values, valueAt, withValue } from "./values-file.ts";
import { checkVaultConfig } from "./vault-config.ts";
import { type Decided, rules } from "./vault-rules.ts";
import { withSealSecret } from "./vault-seal.ts";
import { telemetryAnnotation } from "./vault-telemetry.ts";

export interface VaultValuesArgs extends Decided {
  /** The stack's own values file (`vault.valuesFile`). */
  ownFile?: string | undefined;
  /** The values that everything starts from, as people use them with Helm alone. */
  exampleFile?: string;
}

/** The values that everything starts from, relative to the checkout. */
export const exampleValues = "examples/vault-ha-values.yaml";

const configKey = "server.ha.raft.config";

/**
 * The chart's values, and one problem for each thing in the values files that the lifecycle could not live with:
 * the file, the key, what was found, why not, what to do instead. With any problem the values are not to be used.
 */
export function vaultValues(given: VaultValuesArgs): { values: Values; problems: string[] } {
  const { ownFile, exampleFile = exampleValues } = given;
  const example = withoutPort(readValuesFile(exampleFile), given.existing);
  const own = ownFile === undefined ? { values: {}, problems: [] } : readValuesFile(ownFile);
  const args = { ...given, image: imageOf(given, own.values) };
  const merged = mergeValues(example.values, own.values, ownFile ?? exampleFile);
  const problems = [...example.problems, ...own.problems, ...merged.problems];
  if (example.problems.length > 0) return { values: {}, problems };

  let { values } = merged;
  const report = (key: string, found: string, why: string, instead: string) => {
    const [file, mend] =
      valueAt(own.values, key) === undefined
        ? [
            exampleFile,
            `Put the example back (git checkout ${exampleFile}); changes go into a file of your own.`,
          ]
        : [ownFile, instead];
    problems.push(`${file}: ${key}: ${found}. ${why}\n    ${mend}`);
  };

  const settled = new Map(decided(args));
  for (const { key, allowed, mustBeSet = false, why, instead } of rules(args)) {
    // What the example says of these is only where a setting's default comes from.
    const given = valueAt(settled.has(key) ? own.values : values, key);
    if (given === undefined ? mustBeSet : !allowed(given, values))
      report(key, `${show(given)} cannot be used`, why, instead);
  }
  for (const [key, value] of settled) values = withValue(values, key, value);
  // Another template of the pods: a node reads its configuration when it is started, and so is started anew.
  if (args.telemetry) {
    const own = valueAt(values, "server.annotations");
    values = withValue(values, "server.annotations", { ...(own ?? {}), [telemetryAnnotation]: "true" });
  }
  if (args.tls) values = withTlsSecret(values, args.tls, args.image);
  if (args.seal) values = withSealSecret(values, args.seal);

  const { text, findings } = checkVaultConfig(valueAt(values, configKey), {
    performanceMultiplier: args.performanceMultiplier,
    telemetry: args.telemetry ?? false,
    seal: args.seal,
    tls: args.tls && { cert: `${tlsFolder}/tls.crt`, key: `${tlsFolder}/tls.key` },
  });
  for (const { found, why, instead } of findings) report(configKey, found, why, instead);
  return { values: withValue(values, configKey, text), problems };
}

/**
 * The chart's values for a stack. To be called before anything is declared: throws one error that lists every
 * problem of the values files.
 */
export function loadVaultValues(
  {
    cluster,
    vault,
    raft,
    audit,
    telemetry,
    backup,
  }: Pick<Settings, "cluster" | "vault" | "raft" | "audit" | "telemetry" | "backup">,
  { images, vault: source }: Pick<Sources, "images" | "vault">,
): Values {
  const { replicas, storageSize, storageClass, valuesFile } = vault;
  const { values, problems } = vaultValues({
    replicas,
    storageSize,
    storageClass,
    existing: cluster.existing !== undefined,
    audit: audit.enabled,
    telemetry: telemetry.enabled,
    backup: backup !== undefined,
    performanceMultiplier: raft.performanceMultiplier,
    image: source.image,
    ownImage: images === "official" || cluster.existing !== undefined,
    tls: podTls(vault.tls),
    seal: vault.seal,
    ...(valuesFile !== undefined && { ownFile: valuesFile }),
  });
  if (problems.length === 0) return values;
  throw new pulumi.RunError(
    `Vault's Helm values cannot be used; nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}

/** The image that the pods run: the stack's own, where it may have one. What is no text is a rule's affair. */
function imageOf({ image, ownImage = false }: VaultValuesArgs, own: Values): Decided["image"] {
  const named = (name: keyof typeof image) => {
    const value = ownImage ? valueAt(own, `server.image.${name}`) : undefined;
    return typeof value === "string" ? value : image[name];
  };
  return { repository: named("repository"), tag: named("tag") };
}

/** On a cluster that exists the UI's service is an inner one, unless the stack's own values say otherwise. */
function withoutPort(example: ReturnType<typeof readValuesFile>, existing = false) {
  if (!existing || example.problems.length > 0) return example;
  const inner = withValue(example.values, "ui.serviceType", "ClusterIP");
  return { ...example, values: withValue(inner, "ui.serviceNodePort", null) };
}

/** What settings decide, by key of the chart. */
function decided({
  replicas,
  storageSize,
  storageClass,
  image,
  nodePort = vaultNodePort,
  existing = false,
  audit = false,
  tls,
}: Decided): [string, unknown][] {
  return [
    ["global.tlsDisable", tls === undefined],
    ["server.ha.replicas", replicas],
    ["server.dataStorage.size", storageSize],
    ["server.image.repository", image.repository],
    ["server.image.tag", image.tag],
    ...(storageClass === undefined
      ? []
      : [["server.dataStorage.storageClass", storageClass] as [string, unknown]]),
    ...(audit
      ? [
          ["server.auditStorage.enabled", true] as [string, unknown],
          ...(storageClass === undefined
            ? []
            : [["server.auditStorage.storageClass", storageClass] as [string, unknown]]),
        ]
      : []),
    ...(existing ? [] : [["ui.serviceNodePort", nodePort] as [string, unknown]]),
  ];
}

/** Mounts the secret, and tells the `vault` command in the pods which authority to trust. */
function withTlsSecret(values: Values, { secretName, watched }: PodTls, image: Decided["image"]): Values {
  const list = (key: string) => {
    const given = valueAt(values, key);
    return Array.isArray(given) ? given : [];
  };
  const mount = { name: tlsVolume, mountPath: tlsFolder, readOnly: true };
  const additions: [string, unknown][] = [
    ["server.volumes", [...list("server.volumes"), { name: tlsVolume, secret: { secretName } }]],
    ["server.volumeMounts", [...list("server.volumeMounts"), mount]],
    ["server.extraEnvironmentVars.VAULT_CACERT", `${tlsFolder}/ca.crt`],
  ];
  if (watched) {
    const watch = certificateWatch(image, mount, tlsFolder);
    additions.push(["server.shareProcessNamespace", true]);
    additions.push(["server.extraContainers", [...list("server.extraContainers"), watch]]);
  }
  return additions.reduce((whole, [key, value]) => withValue(whole, key, value), values);
}
