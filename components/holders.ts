/** The holders of the key shares, from the files that a stack's settings name (custody.mode pgp). */
import { readFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { words } from "../steps/lib/errors.ts";
import type { Holder } from "../steps/lib/holder.ts";
import { journalCustody } from "../steps/lib/keys-file.ts";
import { show } from "./values-file.ts";

/** Who holds what. */
export interface Holders {
  /** In the order of the shares. */
  shares: Holder[];
  rootToken: Holder;
}

/**
 * The holders that the settings name; undefined where the stack holds the shares itself. Where Vault has encrypted its
 * shares already, they are the holders of then: a key that has expired since, or a file that is gone, is no reason to
 * refuse an update.
 * @throws RunError with everything that is wrong with the keys, or where this stack's shares are in other hands already
 */
export async function loadHolders(
  { custody }: Pick<Settings, "custody">,
  stackDir: string,
): Promise<Holders | undefined> {
  const held = journalCustody(stackDir);
  const problem = otherHands(custody.mode, held);
  if (problem !== undefined) throw refusal([problem]);
  if (custody.mode === "stack") return undefined;
  if (held !== undefined && held !== "stack")
    return { shares: held.shares.map(({ holder }) => holder), rootToken: held.rootToken.holder };
  return await readHolders(custody);
}

/** Custody is decided at the initialisation. */
function otherHands(mode: string, held: ReturnType<typeof journalCustody>): string | undefined {
  if (mode === "pgp" && held === "stack")
    return `custody.mode: this stack has its shares itself since it was initialised, and pgp counts at an initialisation only.\n    pulumi config set custody.mode stack   (docs/custody.md)`;
  if (mode === "stack" && held !== undefined && held !== "stack")
    return `custody.mode: the shares of this stack are in people's hands, and it has none of its own.\n    pulumi config set custody.mode pgp`;
  return undefined;
}

/** The holders of these files. @throws RunError with one line for each problem */
export async function readHolders({
  holders,
  rootHolder,
}: {
  holders: string[];
  rootHolder: string;
}): Promise<Holders> {
  const problems: string[] = [];
  const shares: (Holder | undefined)[] = [];
  for (const path of holders) shares.push(await readOne("custody.holders", path, problems));
  const root = await readOne("custody.rootHolder", rootHolder, problems);
  const seen = new Map<string, string>();
  for (const [at, holder] of shares.entries()) {
    const path = holders[at] ?? "";
    if (holder === undefined) continue;
    const other = seen.get(holder.fingerprint);
    if (other !== undefined)
      problems.push(
        `custody.holders: ${show(path)} is the same key as ${show(other)} (${holder.fingerprint}); who has two shares is worth two people.`,
      );
    seen.set(holder.fingerprint, path);
  }
  if (problems.length > 0 || root === undefined) throw refusal(problems);
  return { shares: shares.filter((each) => each !== undefined), rootToken: root };
}

async function readOne(key: string, path: string, problems: string[]): Promise<Holder | undefined> {
  const content = await readFile(path).catch((error) => {
    problems.push(`${key}: ${show(path)} cannot be read: ${words(error)}`);
    return undefined;
  });
  if (content === undefined) return undefined;
  // A large library, which a stack without holders does without.
  const { readHolder } = await import("../steps/lib/pgp.ts");
  const { holder, problems: found } = await readHolder(content);
  problems.push(...found.map((problem) => `${key}: ${show(path)} ${problem}.`));
  return holder;
}

function refusal(problems: string[]): pulumi.RunError {
  const count = problems.length === 1 ? "1 thing is" : `${problems.length} things are`;
  return new pulumi.RunError(
    `${count} wrong with the holders of the shares; nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}
