import { z } from "zod";

/** Somebody who holds a share, known by a public key. Nothing of it is secret. */
export const Holder = z.object({
  /** Of the primary key, in capital hexadecimal digits, as gpg shows it. */
  fingerprint: z.string().regex(/^[0-9A-F]{40,64}$/),
  /** The key's first user id, such as `Olga <olga@example.org>`. */
  name: z.string(),
  /** The key in its binary form, base64: as Vault's `pgp_keys` take it. */
  publicKey: z.base64(),
});
export type Holder = z.output<typeof Holder>;

/** The end of a fingerprint by which people and file names name a key. */
export function shortId({ fingerprint }: Pick<Holder, "fingerprint">): string {
  return fingerprint.slice(-16);
}
