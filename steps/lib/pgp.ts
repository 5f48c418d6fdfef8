/** OpenPGP, as far as holders of shares need it: their public keys are read and judged, and files are written for them. */
import { createMessage, encrypt, enums, armor as inArmor, type Key, readKey, readKeys } from "openpgp";
import { words } from "./errors.ts";
import type { Holder } from "./holder.ts";

/**
 * The public key of a file: armored as `gpg --export --armor` writes it, or binary.
 * @param now when it has to be good
 * @returns the holder, or what is wrong with the key, each in words that go on after a file's name
 */
export async function readHolder(
  content: Buffer,
  now = new Date(),
): Promise<{ holder: Holder; problems: [] } | { holder?: undefined; problems: [string, ...string[]] }> {
  const text = content.toString("latin1");
  if (/-----BEGIN PGP MESSAGE-----/.test(text)) return { problems: ["holds a message, not a public key"] };
  const armored = text.includes("-----BEGIN PGP");
  let keys: Key[];
  try {
    keys = await (armored
      ? readKeys({ armoredKeys: text })
      : readKeys({ binaryKeys: new Uint8Array(content) }));
  } catch (error) {
    return { problems: [`is no OpenPGP key: ${words(error)}`] };
  }
  const [key] = keys;
  if (key === undefined) return { problems: ["holds no OpenPGP key"] };
  if (keys.length > 1) return { problems: [`holds ${keys.length} keys, and has to hold one`] };
  const problem = await problemOf(key, now);
  if (problem !== undefined) return { problems: [problem] };
  return { holder: holderOf(key), problems: [] };
}

async function problemOf(key: Key, now: Date): Promise<string | undefined> {
  if (key.isPrivate())
    return "holds a private key, which nobody but its holder may have: treat it as known, and have its holder make another. What is wanted is the public one (gpg --export --armor)";
  if (await key.isRevoked(undefined, undefined, now)) return "holds a key that was revoked";
  const expires = await key.getExpirationTime().catch(() => null);
  if (expires instanceof Date && expires <= now)
    return `holds a key that has expired on ${expires.toISOString().slice(0, 10)}`;
  try {
    await key.getEncryptionKey(undefined, now);
    return undefined;
  } catch (error) {
    return `holds a key to which nothing can be encrypted: ${words(error)}`;
  }
}

function holderOf(key: Key): Holder {
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    name: key.getUserIDs()[0] ?? "(no user id)",
    publicKey: Buffer.from(key.write()).toString("base64"),
  };
}

/** A text that this holder alone can read, armored. A key that has expired meanwhile is used all the same. */
export async function encryptFor({ publicKey }: Holder, text: string): Promise<string> {
  const key = await readKey({ binaryKey: new Uint8Array(Buffer.from(publicKey, "base64")) });
  // What can be decrypted does not end with the key's date, and that is what is to be seen.
  const expires = await key.getExpirationTime();
  const date =
    expires instanceof Date && expires <= new Date() ? new Date(expires.getTime() - 1000) : undefined;
  const message = await createMessage({ text });
  return await encrypt({ message, encryptionKeys: key, ...(date && { date }) });
}

/** A message as Vault gives it, base64 of its binary form, in the armor that mail and gpg know. */
export function armored(base64: string): string {
  return inArmor(enums.armor.message, new Uint8Array(Buffer.from(base64, "base64")));
}
