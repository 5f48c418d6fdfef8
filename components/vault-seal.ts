/** What Vault's configuration and its pods say so that a node unseals itself. */
import {
  type SealSettings,
  type SealType,
  sealFolder,
  sealKey,
  sealTypes,
  secretKeys,
} from "../settings/seals.ts";
import { isEnabledSeal, parseHcl } from "./hcl.ts";
import { type Values, valueAt, withValue } from "./values-file.ts";

/** The volume with the files of the seal's Secret. */
const volume = "vault-seal";

/** Writes the stanza behind a configuration that has none. */
export function addSeal(text: string, seal: SealSettings): string {
  const lines = Object.entries(seal.parameters).map(
    ([name, value]) => `  ${name} = ${JSON.stringify(value)}`,
  );
  return `${text.trimEnd()}\n\nseal ${JSON.stringify(seal.type)} {\n${lines.join("\n")}\n}\n`;
}

/** What a configuration is sealed by. */
export interface SealSeen {
  /** shamir: key shares unseal it. */
  type: SealType | "shamir";
  /** The seal and its key, in words (sealKey). */
  key: string;
}

export const shamir: SealSeen = { type: "shamir", key: "shamir" };

/** The seal that a configuration has; undefined where it cannot be read, or has one that this program does not know. */
export function sealIn(text: unknown): SealSeen | undefined {
  try {
    const blocks = parseHcl(String(text)).blocks.filter(isEnabledSeal);
    const [block] = blocks;
    if (block === undefined) return shamir;
    const type = sealTypes.find((each) => each === block.labels[0]);
    if (type === undefined || blocks.length > 1) return undefined;
    const parameters = Object.fromEntries(
      block.body.attributes.map(({ key, value }) => [key, String(value)]),
    );
    return { type, key: sealKey({ type, parameters }) };
  } catch {
    return undefined;
  }
}

/** The seal that settings ask for. */
export function sealWanted(seal: SealSettings | undefined): SealSeen {
  return seal === undefined ? shamir : { type: seal.type, key: sealKey(seal) };
}

/** Gives the pods what they log in with at the seal: environment variables and files, by the Secret's name. */
export function withSealSecret(values: Values, seal: SealSettings): Values {
  const { secret } = seal;
  if (secret === undefined) return values;
  const list = (key: string) => {
    const given = valueAt(values, key);
    return Array.isArray(given) ? given : [];
  };
  const { env, files } = secretKeys(seal);
  const named = env.map((key) => ({ envName: key, secretName: secret, secretKey: key }));
  const items = files.map((key) => ({ key, path: key }));
  const additions: [string, unknown][] = [
    ...(named.length > 0
      ? [
          ["server.extraSecretEnvironmentVars", [...list("server.extraSecretEnvironmentVars"), ...named]] as [
            string,
            unknown,
          ],
        ]
      : []),
    ...(items.length > 0
      ? ([
          [
            "server.volumes",
            [...list("server.volumes"), { name: volume, secret: { secretName: secret, items } }],
          ],
          [
            "server.volumeMounts",
            [...list("server.volumeMounts"), { name: volume, mountPath: sealFolder, readOnly: true }],
          ],
        ] as [string, unknown][])
      : []),
  ];
  return additions.reduce((whole, [key, value]) => withValue(whole, key, value), values);
}
