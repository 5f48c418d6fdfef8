/** Configurations as people and editors make them: right ones, near misses and nonsense, for property tests. */

import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { parse } from "yaml";
import { exampleValues } from "../../components/vault-values.ts";
import { settingList } from "../../settings.ts";

export const knownKeys = Object.keys(settingList);

/** Names that every object has, or that stand for its prototype. */
const ownNames = fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "then");

/** Any text: empty, printable, of every script, with line breaks, quotes and control characters. */
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "",
    " ",
    "\n",
    "\u0000",
    "'",
    '"',
    "$(id)",
    "-",
    "--",
    "..",
    "a: b",
    "null",
    "undefined",
    "NaN",
  ),
  ownNames,
);

const nearMiss = fc
  .constantFrom(...knownKeys)
  .chain((key) =>
    fc.constantFrom(
      key.toUpperCase(),
      key.replaceAll(".", "_"),
      key.replaceAll(".", ""),
      `${key}s`,
      `${key} `,
      ` ${key}`,
      `vault.${key}`,
      `vault-ha:${key}`,
      key.slice(0, -1),
      key.split(".").at(-1) ?? key,
      `${key}.__proto__`,
    ),
  );

const number = fc.oneof(
  fc.integer({ min: -2, max: 10 }).map(String),
  fc.integer({ min: 65_530, max: 65_540 }).map(String),
  fc.integer().map(String),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.nat(400).map((zeros) => `1${"0".repeat(zeros)}`),
  fc.constantFrom("03", "3.0", "1e3", "0x10", "+3", "3 ", " 3", "3\n", "٣", "３", "1,000"),
);

/** A few ports, so that some meet; above 60999, where no outgoing connection takes one. */
const port = fc.integer({ min: 61_000, max: 61_003 }).map(String);

const fitting: Record<keyof typeof settingList, fc.Arbitrary<string>> = {
  "cluster.workers": fc.integer({ min: 1, max: 20 }).map(String),
  "cluster.listenAddress": fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("127.0.0.1")),
  "cluster.ports.http": port,
  "cluster.ports.https": port,
  "cluster.ports.vault": port,
  "cluster.ports.spare": port,
  "vault.namespace": fc.constantFrom("vault", "a", "my-vault-2"),
  "vault.replicas": fc.constantFrom("1", "3", "5", "7"),
  "vault.shares": fc.integer({ min: 1, max: 6 }).map(String),
  "vault.threshold": fc.integer({ min: 1, max: 6 }).map(String),
  "vault.storageSize": fc.constantFrom("1Mi", "10Gi", "2Ti"),
  "vault.giveUp": fc.constantFrom("one", "0cbe2671-b230-462b-b64c-f875f10b05b5,two"),
  "raft.performanceMultiplier": fc.integer({ min: 1, max: 10 }).map(String),
  "vault.valuesFile": fc.constantFrom(exampleValues, "no-such-file.yaml", "test", "package.json/values.yaml"),
  "whoami.enabled": fc.constantFrom("true", "false"),
  "whoami.host": fc.constantFrom("whoami.localhost", "a", "a.b.c"),
  "timeouts.clusterSeconds": fc.constantFrom("10", "7200"),
  "timeouts.podSeconds": fc.constantFrom("10", "7200"),
  "timeouts.stepSeconds": fc.constantFrom("10", "7200"),
};

const known = fc
  .constantFrom(...(knownKeys as (keyof typeof settingList)[]))
  .chain((key) =>
    fc.tuple(
      fc.constant<string>(key),
      fc.oneof({ weight: 4, arbitrary: fitting[key] }, { weight: 1, arbitrary: fc.oneof(number, anyText) }),
    ),
  );
const unknown = fc.tuple(fc.oneof(nearMiss, anyText), anyText);

/** A stack's settings by key, as `pulumi config` would keep them. Every third one has settings that fit alone. */
export const anySettings: fc.Arbitrary<Record<string, string>> = fc
  .oneof(
    {
      weight: 2,
      arbitrary: fc.array(fc.oneof({ weight: 5, arbitrary: known }, { weight: 1, arbitrary: unknown }), {
        maxLength: 12,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.array(
        fc
          .constantFrom(...(knownKeys as (keyof typeof settingList)[]))
          .chain((key) => fc.tuple(fc.constant<string>(key), fitting[key])),
        { maxLength: 6 },
      ),
    },
  )
  .map((entries) => Object.fromEntries(entries));

/** Paths of the chart's values: those of the example, which the rules look at, and beneath or beside them. */
const paths = pathsOf(parse(readFileSync(exampleValues, "utf8")));
const more = [
  "server.ha.clusterAddr",
  "server.livenessProbe.enabled",
  "server.livenessProbe.path",
  "server.livenessProbe.execCommand",
  "server.volumes",
  "server.volumeMounts",
  "server.extraEnvironmentVars.VAULT_RAFT_NODE_ID",
  "server.standalone.enabled",
  "injector.enabled",
  "csi.enabled",
  "global.namespace",
];

/** A value of YAML, also of kinds that JSON does not have. */
const yamlValue = fc.oneof(
  fc.constantFrom(
    "true",
    "false",
    "null",
    "~",
    "3",
    "-1",
    ".inf",
    ".nan",
    "1e400",
    "0400",
    "''",
    "[]",
    "{}",
    "[3]",
    "&a [*a]",
    "*nobody",
    "<<",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!mine x",
    "2026-01-01",
    "1:30",
    "{ toString: 1 }",
    "{ __proto__: { a: 1 } }",
    "{ constructor: 1 }",
    "[{ toString: 1 }]",
    "{ <<: 3 }",
    "&x { y: *x }",
    `${"[".repeat(150)}${"]".repeat(150)}`,
    `${"{a: ".repeat(150)}`,
  ),
  anyText.map((text) => JSON.stringify(text)),
  fc.json(),
);

const hclPiece = fc.oneof(
  fc.constantFrom(
    'listener "tcp" {',
    'storage "raft" {',
    'service_registration "kubernetes" {}',
    "}",
    "{",
    "[",
    "]",
    "=",
    ",",
    '"',
    "<<EOF\n",
    "EOF\n",
    "\n",
    "#",
    "/*",
    "*/",
    "//",
    'address = "[::]:8200"',
    'cluster_address = "[::]:8201"',
    "tls_disable = 1",
    'path = "/vault/data"',
    "retry_join {}",
    'seal "awskms" {}',
    "disable_clustering = true",
    '"\\x"',
    '"\\u12"',
    '"a\tb"',
    "toString = 1",
    "__proto__ {}",
    "storage = {}",
    "a { ".repeat(150),
    "a = [ ".repeat(150),
  ),
  anyText,
);
/** Vault's configuration: whole, cut, or put together from pieces. */
const hcl = fc.oneof(
  fc.array(hclPiece, { maxLength: 20 }).map((pieces) => pieces.join(" ")),
  fc
    .constantFrom(parse(readFileSync(exampleValues, "utf8")).server.ha.raft.config as string)
    .chain((whole) =>
      fc
        .tuple(fc.nat(whole.length), hclPiece, fc.nat(20))
        .map(([at, piece, cut]) => whole.slice(0, at) + piece + whole.slice(at + cut)),
    ),
);

const entry = fc.tuple(fc.oneof(fc.constantFrom(...paths, ...more), ownNames, anyText), yamlValue);

/** The content of a values file: YAML of every shape, broken YAML, broken HCL in it, and bytes. */
export const anyValuesFile: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(entry, { minLength: 1, maxLength: 4 })
      .map((entries) => entries.map(([path, value]) => nested(path, value)).join("\n")),
  },
  { weight: 3, arbitrary: hcl.map((config) => nested("server.ha.raft.config", JSON.stringify(config))) },
  { weight: 1, arbitrary: yamlValue },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: fc.uint8Array() },
);

/** One value as YAML under its path. */
function nested(path: string, value: string): string {
  return path
    .split(".")
    .reduceRight((inner, key) => `{ ${JSON.stringify(key)}: ${inner} }`, value)
    .slice(2, -2);
}

function pathsOf(values: Record<string, unknown>, at = ""): string[] {
  return Object.entries(values).flatMap(([key, value]) => [
    at + key,
    ...(typeof value === "object" && value !== null && !Array.isArray(value)
      ? pathsOf(value as Record<string, unknown>, `${at}${key}.`)
      : []),
  ]);
}
