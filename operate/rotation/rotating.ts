/** What the commands that change a stack's keys work with. */
import { join } from "node:path";
import { CommandError } from "../../setup/command.ts";
import { type Keys, keysPath, readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { leaderAmong } from "../../steps/lib/leading.ts";
import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { until, type Waiting, within } from "../../steps/lib/wait.ts";
import { writeWhole } from "../../steps/lib/whole-file.ts";
import { sharesElsewhere } from "../custody/held.ts";

/** The Vault whose keys are changed. */
export interface Rotating extends Pick<Waiting, "say" | "signal" | "timeoutSeconds"> {
  stack: string;
  stackDir: string;
  road: Road;
  pods: readonly string[];
}

/** A journal with the answer in it. */
export type Held = Keys & { answer: NonNullable<Keys["answer"]> };

/**
 * The stack's journal. Keys are changed only where it is: it is what a run that was cut off goes on from.
 * @throws CommandError where this machine has none
 */
export async function heldKeys({ stack, stackDir }: Pick<Rotating, "stack" | "stackDir">): Promise<Held> {
  const keys = await readKeys(stackDir);
  if (keys?.answer !== undefined) return { ...keys, answer: keys.answer };
  if (keys?.pgp !== undefined) throw sharesElsewhere("This change of keys", byHand);
  throw new CommandError(
    `There are no keys of stack ${stack} in ${keysPath(stackDir)}. Keys are changed on the machine that has them: new ones are on its disk before they are good. Nothing was changed.\nNext: npm run status -- --stack ${stack}`,
  );
}

/** How the holders of shares change keys themselves. */
const byHand = "docs/custody.md, Keys that change, says what the holders type instead";

/** The token that the stack works with, whoever holds the shares. @throws CommandError as heldKeys */
export async function heldToken(rotating: Pick<Rotating, "stack" | "stackDir">): Promise<string> {
  const keys = await readKeys(rotating.stackDir);
  return keys?.token ?? (await heldKeys(rotating)).answer.rootToken;
}

/** Works with the node that leads, asked with this token. */
export async function withLeader<T>(
  rotating: Rotating,
  token: string | undefined,
  work: (leader: Vault) => Promise<T>,
): Promise<T> {
  const { road, pods, signal, stack, timeoutSeconds } = rotating;
  const vaults = pods.map((pod) => new Vault(road, pod, { signal }, token));
  const next = `npm run doctor -- --stack ${stack}`;
  try {
    return await work(
      await until("a node to lead", () => leaderAmong(vaults), within(rotating, timeoutSeconds), next),
    );
  } finally {
    for (const vault of vaults) vault.close();
  }
}

/**
 * Puts other keys in the place of those in the journal. Those are kept in a file of their own first, for they open the
 * snapshots of their time; so at no moment are the good ones on no disk.
 * @returns the file of the former keys
 */
export async function replaceKeys(
  { stackDir, say }: Pick<Rotating, "stackDir" | "say">,
  { rekey: _, retiring: __, ...former }: Keys,
  keys: Keys,
): Promise<string> {
  const now = new Date().toISOString();
  const aside = join(stackDir, `vault-init.until-${now.replaceAll(":", "")}.json`);
  await writeWhole(aside, `${JSON.stringify({ ...former, replacedAt: now }, null, 2)}\n`);
  await writeKeys(stackDir, { ...keys, changedAt: now });
  const use =
    former.seal === undefined
      ? "they open the snapshots of before, and nothing else"
      : "a Vault that is restored from a snapshot of before has these recovery shares";
  say(`the former keys are kept in ${aside}: ${use}`);
  return aside;
}
