/**
 * The seals by which Vault's nodes unseal themselves: their parameters under Vault's own names, and what of them goes
 * where. https://developer.hashicorp.com/vault/docs/configuration/seal
 */
import { z } from "zod";

/** The seals that a stack can have. Without one, nodes are unsealed with key shares (Shamir). */
export const sealTypes = ["transit", "awskms", "azurekeyvault", "gcpckms"] as const;
export type SealType = (typeof sealTypes)[number];

/** A stack's seal, as its settings have it. Nothing of it is secret. */
export interface SealSettings {
  type: SealType;
  /** The Secret in Vault's namespace with what the nodes log in with at the seal; undefined: they need none. */
  secret: string | undefined;
  /** By their names in Vault's configuration. */
  parameters: Record<string, string>;
}

/** Where the nodes find the files of the Secret that parameters name. */
export const sealFolder = "/vault/seal";

/** One kind of seal. */
export interface SealKind {
  /** Parameters that Vault wants. */
  needs: readonly string[];
  /** Those that it takes. */
  takes: readonly string[];
  /**
   * Those that say which key it is. What Vault has stored is read with that key alone, so another one is a migration;
   * the others may change, such as the address under which the same Vault answers.
   */
  key: readonly string[];
  /** Keys of the Secret that the nodes are given as environment variables. */
  environment: readonly string[];
  /** Whether Vault can do without a Secret: by what the cloud gives its pods. */
  mayDoWithoutSecret: boolean;
}

export const sealKinds: Record<SealType, SealKind> = {
  transit: {
    needs: ["address", "mount_path", "key_name"],
    takes: [
      ...["namespace", "disable_renewal"],
      ...["tls_ca_cert", "tls_client_cert", "tls_client_key", "tls_server_name", "tls_skip_verify"],
    ],
    key: ["namespace", "mount_path", "key_name"],
    environment: ["VAULT_TOKEN"],
    mayDoWithoutSecret: false,
  },
  awskms: {
    needs: ["kms_key_id"],
    takes: ["region", "endpoint"],
    key: ["kms_key_id"],
    environment: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    mayDoWithoutSecret: true,
  },
  azurekeyvault: {
    needs: ["tenant_id", "vault_name", "key_name"],
    takes: ["client_id", "environment", "resource"],
    key: ["vault_name", "key_name"],
    environment: ["AZURE_CLIENT_SECRET"],
    mayDoWithoutSecret: true,
  },
  gcpckms: {
    needs: ["project", "region", "key_ring", "crypto_key"],
    takes: ["credentials"],
    key: ["project", "region", "key_ring", "crypto_key"],
    environment: [],
    mayDoWithoutSecret: true,
  },
};

/** Parameters that are secret, and the key of the Secret under which Vault takes each as an environment variable. */
export const secretParameters: Readonly<Record<string, string>> = {
  token: "VAULT_TOKEN",
  access_key: "AWS_ACCESS_KEY_ID",
  secret_key: "AWS_SECRET_ACCESS_KEY",
  session_token: "AWS_SESSION_TOKEN",
  client_secret: "AZURE_CLIENT_SECRET",
};

/** Parameters that are paths of files in the pods. */
export const fileParameters: readonly string[] = [
  "tls_ca_cert",
  "tls_client_cert",
  "tls_client_key",
  "credentials",
];

/** The keys of the Secret that a seal wants: environment variables, and files that parameters name. */
export function secretKeys({ type, secret, parameters }: SealSettings): { env: string[]; files: string[] } {
  if (secret === undefined) return { env: [], files: [] };
  const files = fileParameters.flatMap((name) => fileIn(parameters[name]) ?? []);
  return { env: [...sealKinds[type].environment], files: [...new Set(files)] };
}

/** The Secret's key that a path in the pods stands for; undefined for a file from elsewhere. */
export function fileIn(path: string | undefined): string | undefined {
  return path?.startsWith(`${sealFolder}/`) ? path.slice(sealFolder.length + 1) : undefined;
}

/** Which key a seal has, in words, such as "transit transit/vault-unseal". Another one is another seal. */
export function sealKey({ type, parameters }: Pick<SealSettings, "type" | "parameters">): string {
  const parts = sealKinds[type].key.map((name) => (parameters[name] ?? "").replace(/^\/+|\/+$/g, ""));
  return `${type} ${parts.filter((part) => part !== "").join("/")}`;
}

const line = (rule: string) => z.string().regex(/^[^\p{Cc}\s"\\$]+$/u, rule);
const trueOrFalse = z.string().regex(/^(true|false)$/, "takes true or false");
const file = line("takes the path of a file in the pods, with a / before it").startsWith(
  "/",
  "takes the path of a file in the pods, with a / before it",
);
const address = "takes an address such as https://vault.example.com:8200, without a name or password";
const url = line(address).refine((text) => {
  const { protocol, username, password } = URL.parse(text) ?? {};
  return /^https?:$/.test(protocol ?? "") && `${username}${password}` === "";
}, address);
const name = (what: string) => line(`takes ${what}, without blanks`);

const parameter = <S extends z.ZodType<string, string>>(schema: S, unit: string, gives: string) => ({
  schema,
  fallback: undefined,
  unit,
  gives,
});

/** The settings of the seals, each under Vault's own name. Their order is that of docs/settings.md. */
export const sealSettings = {
  "vault.seal.type": {
    schema: z.enum(sealTypes, `takes ${sealTypes.slice(0, -1).join(", ")} or ${sealTypes.at(-1)}`),
    fallback: undefined,
    unit: "seal",
    gives:
      "What unseals the nodes by itself (docs/seal.md). Unless set, key shares do. Has to be chosen before the first update.",
  },
  "vault.seal.secret": parameter(
    z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "takes the name of a Secret"),
    "name",
    "The Secret in Vault's namespace with what the nodes log in with at the seal. Somebody else makes it.",
  ),
  "vault.seal.address": parameter(url, "URL", "transit: where the other Vault answers."),
  "vault.seal.mount_path": parameter(
    name("a path"),
    "path",
    "transit: the mount of its engine, such as transit/.",
  ),
  "vault.seal.key_name": parameter(name("a key's name"), "name", "transit, azurekeyvault: the key."),
  "vault.seal.namespace": parameter(
    name("a namespace"),
    "name",
    "transit: its namespace, of Vault Enterprise.",
  ),
  "vault.seal.disable_renewal": parameter(
    trueOrFalse,
    "true or false",
    "transit: whether somebody else renews the token.",
  ),
  "vault.seal.tls_ca_cert": parameter(
    file,
    "path",
    "transit: the authority of its certificate, in the pods: /vault/seal/<key> is a key of the Secret.",
  ),
  "vault.seal.tls_client_cert": parameter(file, "path", "transit: the certificate that the nodes show it."),
  "vault.seal.tls_client_key": parameter(file, "path", "transit: that certificate's private key."),
  "vault.seal.tls_server_name": parameter(
    name("a host name"),
    "host name",
    "transit: the name in its certificate.",
  ),
  "vault.seal.tls_skip_verify": parameter(
    trueOrFalse,
    "true or false",
    "transit: whether any certificate is taken for its own. Not for production.",
  ),
  "vault.seal.region": parameter(name("a region"), "region", "awskms, gcpckms: where the key is."),
  "vault.seal.kms_key_id": parameter(name("a key's id, ARN or alias"), "id", "awskms: the key."),
  "vault.seal.endpoint": parameter(
    url,
    "URL",
    "awskms: where KMS answers, if not at the region's own address.",
  ),
  "vault.seal.tenant_id": parameter(name("a tenant's id"), "id", "azurekeyvault: the tenant."),
  "vault.seal.vault_name": parameter(name("a Key Vault's name"), "name", "azurekeyvault: the Key Vault."),
  "vault.seal.client_id": parameter(
    name("a client's id"),
    "id",
    "azurekeyvault: who logs in. Without it, the managed identity.",
  ),
  "vault.seal.environment": parameter(
    name("an Azure cloud's name"),
    "name",
    "azurekeyvault: the cloud's name.",
  ),
  "vault.seal.resource": parameter(
    name("a DNS suffix"),
    "host name",
    "azurekeyvault: the DNS suffix, for a managed HSM.",
  ),
  "vault.seal.project": parameter(name("a project's id"), "id", "gcpckms: the project."),
  "vault.seal.key_ring": parameter(name("a key ring's name"), "name", "gcpckms: the key ring."),
  "vault.seal.crypto_key": parameter(name("a key's name"), "name", "gcpckms: the key."),
  "vault.seal.credentials": parameter(
    file,
    "path",
    "gcpckms: the file with the login, in the pods. Without it, the pods' own identity.",
  ),
};
