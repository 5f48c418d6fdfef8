/** Files of Helm values as people and editors make them: whole, cut, of wrong shapes and of nonsense. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { parse } from "yaml";
import { exampleValues } from "../../components/vault-values.ts";
import { anyText, ownNames } from "./any-settings.ts";

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
