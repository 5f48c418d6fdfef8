import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { CommandError } from "../../setup/command.ts";
import { readRecord } from "../../steps/lib/snapshot-record.ts";
import { askKeys } from "../adopt/ask-keys.ts";
import { type GivenKeys, keysUsage, parseKeys } from "../adopt/given-keys.ts";
import type { VaultKeys } from "../open-vault.ts";

/** What is read of a journal that was kept. */
const Kept = z.object({
  threshold: z.number(),
  seal: z.string().optional(),
  answer: z.object({ shares: z.array(z.string()), rootToken: z.string() }),
  custody: z.object({ clusterId: z.string() }),
  replacedAt: z.string().optional(),
});

/**
 * The keys of the time of a snapshot: of a journal in the stack's folder that opened that Vault, else from standard
 * input, else asked for.
 * @param threshold how many shares that Vault wants
 * @param command the command, for the end of a message
 */
export async function originalKeys(
  stackDir: string,
  cluster: string,
  { threshold, command, savedAt }: { threshold: number; command: string; savedAt: string | undefined },
  say: (line: string) => void,
): Promise<GivenKeys> {
  const kept = keptKeys(stackDir, cluster, savedAt, say);
  if (kept !== undefined) return kept;
  if (!process.stdin.isTTY) return parseKeys(await text(process.stdin), keysUsage(command));
  return await askKeys(threshold);
}

/**
 * The keys that a snapshot is proved with: of a journal that opened its Vault, else those of the stack now.
 * @throws CommandError where there are none
 */
export async function keysFor(
  snapshot: string,
  stackDir: string,
  now: VaultKeys | undefined,
  say: (line: string) => void,
): Promise<VaultKeys> {
  const { clusterId, savedAt } = (await readRecord(snapshot)) ?? {};
  const keys = (clusterId === undefined ? undefined : keptKeys(stackDir, clusterId, savedAt, say)) ?? now;
  if (keys === undefined)
    throw new CommandError(`There are no keys in ${stackDir} that could open ${snapshot}.`);
  return keys;
}

/**
 * The keys of a journal in the stack's folder that opened this Vault when the snapshot was saved; undefined where there
 * is none, or where keys were changed and nobody noted when it was saved.
 */
export function keptKeys(
  stackDir: string,
  cluster: string,
  savedAt: string | undefined,
  say: (line: string) => void,
): VaultKeys | undefined {
  const files = readdirSync(stackDir).filter((name) => /^vault-init.*\.json$/.test(name));
  const ofCluster = files.flatMap((name) => {
    const file = join(stackDir, name);
    const kept = Kept.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
    return kept?.custody.clusterId === cluster ? [{ ...kept, file }] : [];
  });
  if (savedAt === undefined && ofCluster.length > 1) return undefined;
  // Those of its time are the first that were replaced after it; the ones that nothing has replaced come last.
  const [kept] = ofCluster
    .filter(({ replacedAt }) => replacedAt === undefined || savedAt === undefined || replacedAt > savedAt)
    .sort((one, other) => ((one.replacedAt ?? "~") < (other.replacedAt ?? "~") ? -1 : 1));
  if (kept === undefined) return undefined;
  say(`the keys of ${cluster} are taken from ${kept.file}`);
  return { ...kept.answer, threshold: kept.threshold, ...(kept.seal !== undefined && { seal: kept.seal }) };
}
