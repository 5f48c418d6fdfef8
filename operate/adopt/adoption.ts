/** What a stack's settings and values are, so that it goes on with a Vault as that was made. */
import { type Values, valueAt, withValue } from "../../components/values-file.ts";
import { performanceMultiplierOf } from "../../components/vault-config.ts";
import type { Found } from "./found.ts";

export interface Adoption {
  /** What the stack's settings become, by key; undefined for one that the stack must not have. */
  settings: Record<string, string | undefined>;
  /** The stack's own values: those that were given to Helm, without what settings decide. */
  values: Values;
}

/** What settings decide, and what therefore does not belong into a values file. */
const decidedKeys = [
  "global.tlsDisable",
  "server.ha.replicas",
  "server.dataStorage.size",
  "server.dataStorage.storageClass",
  "server.image.repository",
  "server.image.tag",
];

const configKey = "server.ha.raft.config";

/** The settings and values of the stack that goes on with what was found, so that its first update changes little. */
export function adoptionOf({ release, pods, volumes }: Found, namespace: string): Adoption {
  const given = release?.values ?? {};
  // Vault's own configuration stays, also where it is the chart's: this program's example says another one.
  const config = valueAt(given, configKey) ?? valueAt(release?.defaults ?? {}, configKey);
  const kept = decidedKeys.reduce(without, given);
  const [first] = pods;
  const text = (value: number | undefined) => (value ? String(value) : undefined);
  return {
    settings: {
      "vault.namespace": namespace,
      "vault.replicas": String(pods.length),
      "vault.shares": text(first?.shares),
      "vault.threshold": text(first?.threshold),
      "vault.tls.enabled": "false",
      "vault.storageSize": volumes.data?.size,
      "vault.storageClass": volumes.data?.storageClass,
      "raft.performanceMultiplier": performanceMultiplierOf(config),
    },
    values: config === undefined ? kept : withValue(kept, configKey, config),
  };
}

/** The settings of the stack's file with these in their place; keys without a project's prefix. */
export function settled(
  texts: Record<string, string>,
  settings: Adoption["settings"],
): Record<string, string> {
  const all = Object.entries({ ...texts, ...settings });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A copy of values without one, and without the maps that are empty then. */
function without(values: Values, key: string): Values {
  const [first = "", ...rest] = key.split(".");
  const { [first]: inner, ...others } = values;
  if (rest.length === 0 || typeof inner !== "object" || inner === null || Array.isArray(inner))
    return rest.length === 0 ? others : values;
  const left = without(inner as Values, rest.join("."));
  return Object.keys(left).length === 0 ? others : { ...values, [first]: left };
}
