/** Settings as people and editors make them: right ones, near misses and nonsense, for property tests. */
import * as fc from "fast-check";
import { exampleValues } from "../../components/vault-values.ts";
import { settingList } from "../../settings/list.ts";
import type { Setting } from "../../settings/rule.ts";

export const knownKeys = Object.keys(settingList);

/** Names that every object has, or that stand for its prototype. */
export const ownNames = fc.constantFrom(
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "then",
);

/** Any text: empty, printable, of every script, with line breaks, quotes and control characters. */
export const anyText = fc.oneof(
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

/** Values that fit alone; of a setting that is not here, its default. */
const fitting: Record<string, fc.Arbitrary<string>> = {
  "cluster.driver": fc.constantFrom("kind", "existing"),
  "cluster.context": fc.constantFrom("a", "kind-b", "arn:aws:eks:eu-west-1:1:cluster/c"),
  "cluster.kubeconfig": fc.constantFrom("no-such-file", "test"),
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
  "vault.storageClass": fc.constantFrom("standard", "a.b"),
  "teardown.retainData": fc.constantFrom("true", "false"),
  "teardown.protected": fc.constantFrom("true", "false"),
  "vault.giveUp": fc.constantFrom("a", "0d1f-2,b"),
  "vault.valuesFile": fc.constantFrom(exampleValues, "no-such-file.yaml", "test", "package.json/values.yaml"),
  "custody.mode": fc.constantFrom("stack", "pgp"),
  "custody.holders": fc.constantFrom("no-such-file.asc", "a.asc,b.asc,c.asc", "package.json, biome.json"),
  "custody.rootHolder": fc.constantFrom("no-such-file.asc", "test", "package.json"),
  "vault.seal.type": fc.constantFrom("transit", "awskms", "azurekeyvault", "gcpckms"),
  "vault.seal.secret": fc.constantFrom("vault-seal", "a.b"),
  "vault.seal.address": fc.constantFrom("http://127.0.0.1:8200", "https://other-vault:8200"),
  "vault.seal.mount_path": fc.constantFrom("transit", "transit/"),
  "vault.seal.key_name": fc.constantFrom("vault-unseal", "a"),
  "vault.seal.tls_ca_cert": fc.constantFrom("/vault/seal/ca.crt", "/etc/ssl/certs/ca-certificates.crt"),
  "vault.seal.disable_renewal": fc.constantFrom("true", "false"),
  "vault.seal.kms_key_id": fc.constantFrom("alias/a", "arn:aws:kms:eu-west-1:1:key/b"),
  "telemetry.enabled": fc.constantFrom("true", "false"),
  "telemetry.monitorLabels": fc.constantFrom("release=prometheus", "a=b,c.d/e="),
  "backup.schedule": fc.constantFrom("0 */6 * * *", "30 2 * * MON-FRI"),
  "backup.keep": fc.constantFrom("1", "50"),
  "backup.size": fc.constantFrom("1Gi"),
  "backup.bucket.name": fc.constantFrom("snapshots", "a.b-c"),
  "backup.bucket.endpoint": fc.constantFrom("https://s3.example.com", "http://10.0.0.1:9000"),
  "backup.bucket.insecure": fc.constantFrom("true", "false"),
  "backup.bucket.region": fc.constantFrom("eu-central-1"),
  "backup.bucket.prefix": fc.constantFrom("vault", "a/b"),
  "backup.bucket.secretName": fc.constantFrom("bucket-key"),
  "backup.bucket.pathStyle": fc.constantFrom("true", "false"),
  "ingress.controller": fc.constantFrom("nginx", "traefik"),
  "ingress.valuesFile": fc.constantFrom("no-such-file.yaml", "test", "docs/../biome.json"),
  "whoami.enabled": fc.constantFrom("true", "false"),
  "whoami.host": fc.constantFrom("whoami.localhost", "a", "a.b.c"),
  "timeouts.clusterSeconds": fc.constantFrom("10", "7200"),
  "timeouts.podSeconds": fc.constantFrom("10", "7200"),
  "timeouts.stepSeconds": fc.constantFrom("10", "7200"),
};

const fallbackOf = (key: string) => (settingList as Record<string, Setting>)[key]?.fallback ?? "x";
const right = fc
  .constantFrom(...knownKeys)
  .chain((key) => fc.tuple(fc.constant(key), fitting[key] ?? fc.constant(fallbackOf(key))));
const wrong = fc.tuple(fc.constantFrom(...knownKeys), fc.oneof(number, anyText));
const unknown = fc.tuple(fc.oneof(nearMiss, anyText), anyText);

/** A stack's settings by key, as `pulumi config` would keep them. Every third one has settings that fit alone. */
export const anySettings: fc.Arbitrary<Record<string, string>> = fc
  .oneof(
    {
      weight: 2,
      arbitrary: fc.array(
        fc.oneof(
          { weight: 4, arbitrary: right },
          { weight: 1, arbitrary: wrong },
          { weight: 1, arbitrary: unknown },
        ),
        { maxLength: 12 },
      ),
    },
    { weight: 1, arbitrary: fc.array(right, { maxLength: 6 }) },
  )
  .map((entries) => Object.fromEntries(entries));
