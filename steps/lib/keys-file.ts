import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sealTypes } from "../../settings/seals.ts";
import { StepError, words } from "./errors.ts";
import { Holder } from "./holder.ts";
import { renameWhole, writeWhole } from "./whole-file.ts";

/** The one answer of sys/init, and where it came from. */
const InitAnswer = z.object({
  /** Base64, as Vault gave them. */
  shares: z.array(z.string().min(1)).min(1),
  rootToken: z.string().min(1),
  initialisedAt: z.iso.datetime(),
});

/** Something that one holder alone can read: Vault's answer, base64 of a PGP message. */
const Encrypted = z.object({ holder: Holder, encrypted: z.base64().min(1) });

/** The one answer of sys/init where people hold the shares (custody.mode pgp). Nothing in it opens anything. */
export const PgpAnswer = z.object({
  /** In the order of the holders' keys as Vault was given them. */
  shares: z.array(Encrypted).min(1),
  rootToken: Encrypted,
  initialisedAt: z.iso.datetime(),
});
export type PgpAnswer = z.output<typeof PgpAnswer>;

/** Proof that the shares are in Pulumi's hands as well: those from the stack's state opened this Vault. */
const Custody = z.object({
  /** Vault's own id, which it tells only when it is unsealed. */
  clusterId: z.string(),
  provedAt: z.iso.datetime(),
});

/** A rekey that was begun and has not ended. */
const Rekey = z.object({
  /** Vault's name for it. */
  nonce: z.string(),
  begunAt: z.iso.datetime(),
  threshold: z.number().int().positive(),
  /** The new shares, once Vault has given them. They open nothing before they were given back to it. */
  shares: z.array(z.string().min(1)).min(1).optional(),
  /** Where people hold the shares: who gets the new ones, and what each of them then has, encrypted. */
  holders: z.array(Holder).min(1).optional(),
  encrypted: z.array(Encrypted).min(1).optional(),
});

/**
 * What the journal vault-init.json holds: the intent, written before the call; the answer, written at once after it;
 * and custody, written when the shares that went through the state have unsealed the node, or when the holders have.
 */
const Keys = z.object({
  version: z.literal(1),
  stack: z.string(),
  pod: z.string(),
  /** What names the store that was initialised (the UID of the pod's PVC), where it is known. */
  pvcUid: z.string().optional(),
  intendedAt: z.iso.datetime(),
  threshold: z.number().int().positive(),
  /** Set where the shares are recovery shares, which unseal nothing: the seal that unseals the nodes. */
  seal: z.enum(sealTypes).optional(),
  answer: InitAnswer.optional(),
  /** In the place of `answer` where people hold the shares. */
  pgp: PgpAnswer.optional(),
  /** Where people hold the shares: the stack's own token, which may do what its steps need, and no more. */
  token: z.string().min(1).optional(),
  /** Set where the stack has taken over a Vault that somebody else initialised. */
  adoptedAt: z.iso.datetime().optional(),
  custody: Custody.optional(),
  /** Set where shares or token have taken the place of those of the initialisation: Pulumi's state is to follow. */
  changedAt: z.iso.datetime().optional(),
  rekey: Rekey.optional(),
  /** A token whose place `rootToken` has taken, until it is known to be revoked. */
  retiring: z.string().min(1).optional(),
  /** Set where the root token was revoked: `rootToken` is then one of the stack's own, which may do what its steps need. */
  rootRevoked: z.object({ at: z.iso.datetime(), user: z.string() }).optional(),
  /** In a file that was kept: when other keys took the place of these. They open the snapshots of before. */
  replacedAt: z.iso.datetime().optional(),
});
export type Keys = z.output<typeof Keys>;

/** The path of a stack's keys file. */
export function keysPath(stackDir: string): string {
  return join(stackDir, "vault-init.json");
}

/**
 * Reads the keys file; undefined where there is none.
 * @throws StepError where others may read it, or it is no keys file
 */
export async function readKeys(stackDir: string): Promise<Keys | undefined> {
  const path = keysPath(stackDir);
  let content: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      const found = (mode & 0o777).toString(8).padStart(4, "0");
      throw new StepError(
        `${path} holds Vault's keys and may be read by others (mode ${found}, wanted 0600); if anybody but you had access to this machine, treat the keys as known`,
        `chmod 600 ${path}`,
      );
    }
    content = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error instanceof StepError ? error : new StepError(`cannot read ${path}: ${words(error)}`);
  }
  try {
    return Keys.parse(JSON.parse(content));
  } catch {
    // Neither JSON.parse's nor any other message about the content: it may quote a share.
    throw new StepError(
      `${path} is not a keys file that this version knows (${content.length} characters). Keep it: it may hold the only copy of Vault's keys`,
      `ls -l ${path}`,
    );
  }
}

/**
 * Whether this machine has the keys of a Vault that this stack has raised itself. One that was taken over runs as
 * somebody else has made it, and is not started anew for that.
 */
export function hasRaised(stackDir: string): boolean {
  const dates = journalDates(stackDir);
  return dates !== undefined && dates.adoptedAt === undefined;
}

/** When this machine's keys last took the place of others; undefined where they are those of the initialisation. */
export function keysChangedAt(stackDir: string): string | undefined {
  return journalDates(stackDir)?.changedAt;
}

/**
 * Who holds the shares, as this machine's journal knows: people, who are named, or the stack; undefined where it knows of
 * no initialisation. A journal that cannot be read is judged by the steps.
 */
export function journalCustody(stackDir: string): PgpAnswer | "stack" | undefined {
  const { answer, pgp } = journalDates(stackDir) ?? {};
  return answer === undefined ? PgpAnswer.safeParse(pgp).data : "stack";
}

/** undefined where there is no journal that can be read. */
function journalDates(
  stackDir: string,
): { adoptedAt?: string; changedAt?: string; answer?: unknown; pgp?: unknown } | undefined {
  try {
    return JSON.parse(readFileSync(keysPath(stackDir), "utf8"));
  } catch {
    return undefined;
  }
}

/** When Vault's answer to the initialisation was written; undefined where it never came. */
export function initialisedAt({ answer, pgp }: Pick<Keys, "answer" | "pgp">): string | undefined {
  return (answer ?? pgp)?.initialisedAt;
}

/** Writes the keys file, readable by you alone. When this returns, the content is on the disk. */
export async function writeKeys(stackDir: string, keys: Keys): Promise<void> {
  await writeWhole(keysPath(stackDir), `${JSON.stringify(keys, null, 2)}\n`);
}

/**
 * Puts the keys file of a store that was given up under another name, so that another one can take its place. Its
 * shares still open the store's snapshots.
 * @returns the new path
 */
export async function keepAside(stackDir: string, store: string): Promise<string> {
  const aside = join(stackDir, `vault-init.${store.replace(/[^\w.-]/g, "_")}.json`);
  await renameWhole(keysPath(stackDir), aside);
  return aside;
}
