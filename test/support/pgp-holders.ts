/** People with PGP keys of their own, as they are on their own machines. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMessage, decrypt, encrypt, generateKey, type PrivateKey, readMessage } from "openpgp";
import type { Holder } from "../../steps/lib/holder.ts";
import { readHolder } from "../../steps/lib/pgp.ts";

export interface Person {
  holder: Holder;
  /** As `gpg --export --armor` prints it. */
  publicKey: string;
  privateKey: PrivateKey;
  revocation: string;
  /** What a message to this person says: armored, or base64 as Vault gives it. */
  decrypt(message: string): Promise<string>;
}

export interface KeyOptions {
  type?: "curve25519" | "rsa" | "ecc";
  date?: Date;
  /** Seconds for which it is good. */
  expires?: number;
  /** Without a subkey: one that only signs. */
  signsOnly?: boolean;
}

/** Makes a key, of the kind that gpg makes by default. */
export async function makePerson(name: string, options: KeyOptions = {}): Promise<Person> {
  const { type = "ecc", date, expires, signsOnly } = options;
  const { privateKey, publicKey, revocationCertificate } = await generateKey({
    ...(type === "ecc" ? { type, curve: "ed25519Legacy" as const } : { type }),
    ...(type === "rsa" && { rsaBits: 2048 }),
    userIDs: [{ name, email: `${name.toLowerCase()}@example.org` }],
    ...(date && { date }),
    ...(expires && { keyExpirationTime: expires }),
    ...(signsOnly && { subkeys: [{ sign: true }] }),
    format: "object",
  });
  const read = await readHolder(Buffer.from(publicKey.armor()), date);
  return {
    holder: read.holder ?? { fingerprint: publicKey.getFingerprint().toUpperCase(), name, publicKey: "" },
    publicKey: publicKey.armor(),
    privateKey,
    revocation: revocationCertificate,
    decrypt: async (text) => {
      const message = await (text.startsWith("-----")
        ? readMessage({ armoredMessage: text })
        : readMessage({ binaryMessage: new Uint8Array(Buffer.from(text, "base64")) }));
      const { data } = await decrypt({ message, decryptionKeys: privateKey });
      return String(data).trim();
    },
  };
}

/** A message to somebody, which is no key. */
export async function someMessage({ privateKey }: Person): Promise<string> {
  const message = await createMessage({ text: "a share" });
  return await encrypt({ message, encryptionKeys: privateKey.toPublic() });
}

/** A folder with the public keys of so many people, and the settings that name them. */
export async function holderFiles(
  count: number,
): Promise<{ folder: string; config: Record<string, string>; people: Person[] }> {
  const folder = await mkdtemp(join(tmpdir(), "vault-ha-holders-"));
  const people = await Promise.all(Array.from({ length: count + 1 }, (_, at) => makePerson(`Holder${at}`)));
  const files = people.map((_, at) => join(folder, `${at}.asc`));
  for (const [at, { publicKey }] of people.entries()) await writeFile(files[at] ?? "", publicKey);
  const [root = "", ...holders] = files;
  return {
    folder,
    people,
    config: { "custody.mode": "pgp", "custody.holders": holders.join(","), "custody.rootHolder": root },
  };
}
