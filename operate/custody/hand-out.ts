/** Writes for each holder what that holder alone can read. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Holder, shortId } from "../../steps/lib/holder.ts";
import type { PgpAnswer } from "../../steps/lib/keys-file.ts";
import { armored, encryptFor } from "../../steps/lib/pgp.ts";
import { authorityPath } from "../../steps/lib/tls-secret.ts";
import { writeWhole } from "../../steps/lib/whole-file.ts";
import { custodyFolder } from "./record.ts";

/** What was written for a holder. */
export interface HandedOut {
  name: string;
  fingerprint: string;
  files: string[];
}

/** The folder of a holder's files, below the stack's. */
export const holderFolder = (stackDir: string, holder: Holder) =>
  join(custodyFolder(stackDir), shortId(holder));

/**
 * Each share as share.asc, the root token as root-token.asc, and with TLS Vault's authority as vault-ca.crt. None of it is
 * secret: whoever has such a file needs its holder's private key.
 */
export async function handOut(
  pgp: PgpAnswer,
  holders: readonly Holder[],
  stackDir: string,
): Promise<HandedOut[]> {
  const authority = existsSync(authorityPath(stackDir))
    ? await readFile(authorityPath(stackDir), "utf8")
    : undefined;
  const written: HandedOut[] = [];
  for (const holder of holders) {
    const { fingerprint, name } = holder;
    const share = pgp.shares.find((each) => each.holder.fingerprint === fingerprint);
    const root = pgp.rootToken.holder.fingerprint === fingerprint ? pgp.rootToken : undefined;
    const contents = {
      ...(share && { "share.asc": armored(share.encrypted) }),
      ...(root && { "root-token.asc": armored(root.encrypted) }),
      ...(authority && { "vault-ca.crt": authority }),
    };
    written.push({ name, fingerprint, files: await writeAll(holderFolder(stackDir, holder), contents) });
  }
  return written;
}

/** Writes a challenge for a holder. @returns its file */
export async function writeChallenge(holder: Holder, challenge: string, stackDir: string): Promise<string> {
  const content = { "drill.asc": await encryptFor(holder, `${challenge}\n`) };
  return (await writeAll(holderFolder(stackDir, holder), content))[0] ?? "";
}

async function writeAll(folder: string, contents: Record<string, string>): Promise<string[]> {
  const files = Object.entries(contents).map(([name, content]) => ({ path: join(folder, name), content }));
  for (const { path, content } of files) await writeWhole(path, content);
  return files.map(({ path }) => path);
}
