/**
 * The stack's settings: what a user may write with `pulumi config set <key> <value>`.
 * Every key is listed once, in settings/; every problem is reported at once, with the command that mends it.
 */
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { show } from "./components/values-file.ts";
import {
  type BackupSettings,
  type ExistingSettings,
  foreignSettings,
  readBackup,
  readExisting,
  readTls,
  type TlsSettings,
} from "./settings/choices.ts";
import { authorityOfSeal, combinations } from "./settings/combinations.ts";
import { type Key, settingList } from "./settings/list.ts";
import { type CustodySettings, readCustody, readSeal, secretSetting } from "./settings/opening.ts";
import type { SealSettings } from "./settings/seals.ts";
import { mend, prefix, removal, shown } from "./settings/words.ts";

/** The settings, typed and complete. */
export interface Settings {
  cluster: {
    /** undefined: kind makes a cluster, and what follows here is about that one. */
    existing: ExistingSettings | undefined;
    workers: number;
    listenAddress: string;
    ports: { http: number; https: number; vault: number; spare: number };
  };
  vault: {
    namespace: string;
    replicas: number;
    shares: number;
    threshold: number;
    storageSize: string;
    /** undefined: the cluster's default one. */
    storageClass: string | undefined;
    giveUp: string[];
    host: string;
    /** undefined: Vault speaks HTTP. */
    tls: TlsSettings | undefined;
    /** undefined: key shares unseal the nodes. */
    seal: SealSettings | undefined;
    valuesFile: string | undefined;
  };
  custody: CustodySettings;
  raft: { performanceMultiplier: number };
  audit: { enabled: boolean };
  telemetry: { enabled: boolean; monitorLabels: Record<string, string> };
  /** undefined: no snapshot is saved by a schedule. */
  backup: BackupSettings | undefined;
  ingress: { controller: "nginx" | "traefik"; valuesFile: string | undefined };
  whoami: { enabled: boolean; host: string };
  teardown: { retainData: boolean; protected: boolean };
  timeouts: { clusterSeconds: number; podSeconds: number; stepSeconds: number };
}

/**
 * Reads settings as typed (`{"vault.replicas": "5"}`).
 * `problems` holds one message for each thing that is wrong; with any, `settings` is undefined.
 */
export function readSettings(given: Record<string, string>): { settings?: Settings; problems: string[] } {
  const problems = Object.keys(given)
    .filter((key) => !Object.hasOwn(settingList, key))
    .map(
      (key) =>
        secretSetting(key) ?? `${shown(key)}: there is no such setting.${closest(key)}\n    ${removal(key)}`,
    );
  const foreign = foreignSettings(given);
  problems.push(...foreign.problems);
  const read = <K extends Key>(key: K): z.output<(typeof settingList)[K]["schema"]> | undefined => {
    const { schema, fallback } = settingList[key];
    const text = foreign.keys.includes(key) ? fallback : (given[key] ?? fallback);
    if (text === undefined) return undefined;
    const result = schema.safeParse(text);
    if (result.success) return result.data as z.output<(typeof settingList)[K]["schema"]>;
    const rule = result.error.issues[0]?.message;
    // Somebody may have put what is secret at the seal where its address belongs.
    const said = key.startsWith("vault.seal.") ? "what is set" : show(text);
    problems.push(`${key}: ${said} does not fit; it ${rule}.\n    ${mend(key, fallback)}`);
    return undefined;
  };
  const must = <K extends Key>(key: K) => read(key) as z.output<(typeof settingList)[K]["schema"]>;

  const replicas = must("vault.replicas");
  const shares = must("vault.shares");
  const existing = readExisting(read, problems);
  const settings: Settings = {
    cluster: {
      existing,
      workers: read("cluster.workers") ?? replicas,
      listenAddress: must("cluster.listenAddress"),
      ports: {
        http: must("cluster.ports.http"),
        https: must("cluster.ports.https"),
        vault: must("cluster.ports.vault"),
        spare: must("cluster.ports.spare"),
      },
    },
    vault: {
      namespace: must("vault.namespace"),
      replicas,
      shares,
      threshold: must("vault.threshold"),
      storageSize: must("vault.storageSize"),
      storageClass: read("vault.storageClass"),
      giveUp: read("vault.giveUp") ?? [],
      host: must("vault.host"),
      tls: readTls(read, problems),
      seal: readSeal(read, problems),
      valuesFile: read("vault.valuesFile"),
    },
    custody: readCustody(read, shares, problems),
    raft: { performanceMultiplier: must("raft.performanceMultiplier") },
    audit: { enabled: must("audit.enabled") },
    telemetry: { enabled: must("telemetry.enabled"), monitorLabels: must("telemetry.monitorLabels") },
    backup: readBackup(given, read, problems),
    ingress: { controller: must("ingress.controller"), valuesFile: read("ingress.valuesFile") },
    whoami: { enabled: must("whoami.enabled"), host: must("whoami.host") },
    teardown: {
      retainData: read("teardown.retainData") ?? existing !== undefined,
      protected: must("teardown.protected"),
    },
    timeouts: {
      clusterSeconds: must("timeouts.clusterSeconds"),
      podSeconds: must("timeouts.podSeconds"),
      stepSeconds: must("timeouts.stepSeconds"),
    },
  };
  if (!problems.some((problem) => problem.startsWith("vault.seal.")))
    problems.push(...authorityOfSeal(settings));
  problems.push(...combinations(settings));
  return problems.length > 0 ? { problems } : { settings, problems };
}

/** "Did you mean" for a key that differs only in its last part or its case. */
function closest(key: string): string {
  const known = Object.keys(settingList);
  const tail = key.split(".").at(-1)?.toLowerCase();
  const found = known.find(
    (name) => name.toLowerCase() === key.toLowerCase() || name.split(".").at(-1)?.toLowerCase() === tail,
  );
  return found ? ` Did you mean ${found}?` : "";
}

/** The settings of the running stack. Throws one error that lists every problem. */
export function loadSettings(): Settings {
  return settingsOf(pulumi.getStack(), pulumi.runtime.allConfig());
}

/**
 * A stack's settings from its configuration, `{"vault-ha:vault.replicas": "5"}`; keys of other projects are left.
 * Throws one error that lists every problem.
 */
export function settingsOf(stack: string, configuration: Record<string, string>): Settings {
  const { settings, problems } = readSettings(settingTexts(configuration));
  if (settings) return settings;
  const count = problems.length === 1 ? "1 setting is" : `${problems.length} settings are`;
  throw new pulumi.RunError(
    `${count} wrong in stack ${stack}; nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}

/** The settings in a stack's configuration, as typed, without the project's name before each key. */
export function settingTexts(configuration: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(configuration)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
