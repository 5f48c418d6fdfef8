/** What `npm run rekey` says where people hold the shares. */
import { shortId } from "../../steps/lib/holder.ts";
import { inWords } from "../rotation/share-numbers.ts";
import type { HeldByPeople } from "./held.ts";
import type { NewHolders } from "./rekey.ts";
import type { HolderRekeyed } from "./rekey-shares.ts";

export function questionOf({
  kind,
  given,
  wanted,
}: {
  kind: "present" | "new";
  given: number;
  wanted: number;
}): string {
  const share = kind === "present" ? "share.asc" : "new-share.asc";
  return `What ${share} decrypts to (${given} of ${wanted} given; it is not shown; Enter: later): `;
}

/** What would be done: an object for programs, and words. */
export function holderPlan(
  { holders, threshold }: NewHolders,
  { pgp, threshold: now, rekey }: HeldByPeople,
): [object, string] {
  const from = { shares: pgp.shares.length, threshold: now };
  const to = { shares: holders.length, threshold };
  const names = (all: { name: string; fingerprint: string }[]) =>
    all.map((holder) => `${holder.name} (${shortId(holder)})`).join(", ");
  const begun = rekey ? ` A rekey was begun at ${rekey.begunAt}, and goes on.` : "";
  return [
    {
      from,
      to,
      holders: holders.map(({ name, fingerprint }) => ({ name, fingerprint })),
      begunAt: rekey?.begunAt,
    },
    `Now: ${inWords(from)}, held by ${names(pgp.shares.map(({ holder }) => holder))}.\nAfterwards: ${inWords(to)}, held by ${names(holders)}.${begun} Nothing was changed.\n`,
  ];
}

export function holdersText(done: HolderRekeyed, stack: string): string {
  const again = `npm run -s rekey -- --stack ${stack}`;
  if (done.phase === "present")
    return `${done.given} of ${done.wanted} present shares were given. Each of their holders:\n  gpg --decrypt share.asc | ${again}\n`;
  if (done.phase === "new")
    return `The shares of before are good still. Give the new ones to their holders:\n${done.files.map((file) => `  ${file}\n`).join("")}${done.given} of ${done.wanted} were given back. Each of them:\n  gpg --decrypt new-share.asc | ${again}\n`;
  return `${inWords(done)}. The shares of before open Vault no more. Each holder has the new one:\n${done.files.map((file) => `  ${file}\n`).join("")}Bring them into Pulumi's state: npm run up -- --stack ${stack}\n`;
}
