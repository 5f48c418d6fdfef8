/** Proves that each holder can still decrypt, without any share: each decrypts a fresh challenge and gives it back. */
import { createHash, randomBytes } from "node:crypto";
import { CommandError } from "../../setup/command.ts";
import { words } from "../../steps/lib/errors.ts";
import type { Holder } from "../../steps/lib/holder.ts";
import type { PgpAnswer } from "../../steps/lib/keys-file.ts";
import { writeChallenge } from "./hand-out.ts";
import { everyHolder, readRecord, writeRecord } from "./record.ts";

/** A challenge that waits for its answer. */
export interface Challenge {
  name: string;
  fingerprint: string;
  /** For its holder; absent where nothing can be encrypted to the key any more. */
  file?: string;
  problem?: string;
}

/** So that nobody takes a share for an answer, or an answer for a share. */
const form = /^drill\.[\w-]{32}$/;

/**
 * Writes a fresh challenge for each holder. One that was open before counts no more.
 * @throws nothing for a single holder's key: what is wrong with it is in the answer
 */
export async function beginDrill(pgp: PgpAnswer, stackDir: string): Promise<Challenge[]> {
  const record = await readRecord(stackDir);
  const begun: Challenge[] = [];
  const open: typeof record.open = {};
  for (const holder of everyHolder(pgp)) {
    const { name, fingerprint } = holder;
    const challenge = `drill.${randomBytes(24).toString("base64url")}`;
    try {
      const file = await writeChallenge(holder, challenge, stackDir);
      open[fingerprint] = { sha256: digest(challenge), begunAt: new Date().toISOString() };
      begun.push({ name, fingerprint, file });
    } catch (error) {
      begun.push({ name, fingerprint, problem: words(error) });
    }
  }
  await writeRecord(stackDir, { ...record, open });
  return begun;
}

/** Who has answered, and who is still waited for. */
export interface Answered {
  proved: Pick<Holder, "name" | "fingerprint">[];
  waiting: Pick<Holder, "name" | "fingerprint">[];
}

/**
 * Takes answers, one a line, in any order.
 * @throws CommandError where a line is none of those that are waited for; it is not quoted, and what was right counts
 */
export async function answerDrill(
  lines: readonly string[],
  pgp: PgpAnswer,
  stackDir: string,
): Promise<Answered> {
  const record = await readRecord(stackDir);
  const proved: Holder[] = [];
  const problems: string[] = [];
  const holders = everyHolder(pgp);
  const now = new Date().toISOString();
  for (const [at, line] of lines.entries()) {
    const answer = line.trim();
    if (answer === "") continue;
    const found = holders.find(({ fingerprint }) => record.open[fingerprint]?.sha256 === digest(answer));
    if (found) {
      proved.push(found);
      record.proved[found.fingerprint] = now;
      delete record.open[found.fingerprint];
    } else
      problems.push(
        form.test(answer)
          ? `line ${at + 1} answers no challenge that is open: it is of a former drill, or was given before`
          : `line ${at + 1} is no answer to a drill (drill.asc decrypts to one that begins with "drill.")`,
      );
  }
  await writeRecord(stackDir, record);
  const waiting = holders.filter(({ fingerprint }) => record.open[fingerprint] !== undefined);
  const named = proved.map(({ name }) => name).join(", ") || "nobody";
  if (problems.length > 0) throw new CommandError(`Proved: ${named}.\n  ${problems.join("\n  ")}`);
  if (proved.length === 0) throw new CommandError("No answer was given. Nothing was changed.", 2);
  return { proved, waiting };
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex");
