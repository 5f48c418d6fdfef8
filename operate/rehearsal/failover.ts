/** The rehearsal of a failover: round after round on one mount, and nothing left behind, however it ends. */
import { CommandError } from "../../setup/command.ts";
import { NotYet, words } from "../../steps/lib/errors.ts";
import { holdersCommand } from "../../steps/lib/unseal.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { until, within } from "../../steps/lib/wait.ts";
import { type Health, healthOf } from "./health.ts";
import type { Killer } from "./killers.ts";
import { makeMount, newPath, removeLeftMounts } from "./mount.ts";
import { bringBack, type RehearsedVault, type Rehearsing, vaultsOf } from "./rehearsing.ts";
import { type Round, runRound } from "./round.ts";

export interface FailoverOptions {
  rounds: number;
  /** How long all nodes have to be well before a leader is ended; see settleSeconds. */
  settleSeconds: number;
  say(line: string): void;
  /** Interrupts it; it then brings back what it ended and removes its mount before it throws the signal's reason. */
  signal: AbortSignal;
  /** The longest that bringing a node back may take, in seconds. */
  backSeconds?: number;
  /** Told of each round as it ends. */
  ended?(round: Round): void;
}

/** In seconds: a kubelet starts a container that ended often only after 300 s. */
export const usualBackSeconds = 600;

/** How long cleaning up may take after an interrupt or a failure, in seconds, beside what bringing a node back takes. */
const cleanUpSeconds = 120;

/**
 * Rehearses leader failures, and ends after the first round in which something did not come about. The caller sees to
 * it that no other rehearsal and no step works on the stack meanwhile.
 * @throws CommandError where the cluster is not healthy; nothing has been done then
 */
export async function rehearseFailover(
  vault: RehearsedVault,
  killer: Killer,
  { rounds, settleSeconds, say, signal, backSeconds = usualBackSeconds, ended = () => {} }: FailoverOptions,
): Promise<Round[]> {
  const vaults = vaultsOf(vault, signal);
  const leader = readyLeader(vault, vaults, await healthOf(vaults));
  const { keys, target } = vault;
  if (keys.byHolders)
    say(
      `people hold the shares: the node that is ended stays sealed until holders of ${keys.threshold} shares give theirs, when it is asked for or, to have them ready: ${holdersCommand(target)} --stay 60`,
    );
  for (const path of await removeLeftMounts(leader))
    say(`removed the mount ${path}, which a rehearsal had left that was killed`);
  const mount = newPath();
  const rehearsing: Rehearsing = {
    ...{ vault, vaults, killer, mount, say, signal, settleSeconds, backSeconds },
    unsealedAt: 0,
  };
  const found: Round[] = [];
  try {
    await makeMount(leader, mount);
    for (let number = 1; number <= rounds; number += 1) {
      const round = await runRound(number, rehearsing);
      found.push(round);
      ended(round);
      if (round.problems.length > 0) break;
    }
  } finally {
    await cleanUp(rehearsing);
    for (const each of vaults) each.close();
  }
  return found;
}

/** The leader of a cluster that can lose it. */
function readyLeader(
  { target, keys }: RehearsedVault,
  vaults: readonly Vault[],
  { leader, problems }: Health,
): Vault {
  const stack = `--stack ${target.stack}`;
  if (vaults.length < 3)
    throw new CommandError(
      `Nothing was done. This stack has ${vaults.length} Vault node(s): nobody would take over from a leader that failed.\n` +
        `  pulumi config set vault.replicas 3 ${stack}   (another cluster: take the stack down first)`,
    );
  const found = vaults.find(({ node }) => node === leader);
  if (found !== undefined && problems.length === 0) return found;
  const next =
    keys.byHolders && problems.some(({ sealed }) => sealed)
      ? "unseal"
      : problems.some(({ upHelps }) => upHelps)
        ? "up"
        : "doctor";
  throw new CommandError(
    [
      "Nothing was done. A leader is ended only where the others can take over, and this is not so:",
      ...problems.map((problem) => `  ${problem.found}`),
      `Next: npm run ${next} -- ${stack}`,
    ].join("\n"),
  );
}

/** What unseals a node that a rehearsal has left sealed. */
export function unsealsAgain({ target, keys }: Pick<RehearsedVault, "target" | "keys">): string {
  return keys.byHolders ? holdersCommand(target) : `npm run up -- --stack ${target.stack}`;
}

/** Runs also after an interrupt, and then without its signal. */
async function cleanUp(rehearsing: Rehearsing): Promise<void> {
  const { vault, mount, say } = rehearsing;
  const { signal } = new AbortController();
  if (rehearsing.down !== undefined && rehearsing.signal.aborted) {
    const { node, aimed } = rehearsing.down;
    say(`bringing ${node} back before the end`);
    // Whoever interrupts does not want to wait for people.
    const bring = async () => {
      if (!vault.keys.byHolders) return await bringBack({ ...rehearsing, signal });
      await aimed.restore();
      say(`${node} is sealed until its holders unseal it: ${unsealsAgain(vault)}`);
    };
    await bring().catch((error) =>
      say(`${node} is not back: ${words(error)}. Unseal it with: ${unsealsAgain(vault)}`),
    );
  }
  const vaults = vaultsOf(vault, signal);
  const remove = async () => {
    const { leader } = await healthOf(vaults);
    const through = vaults.find(({ node }) => node === leader);
    if (through === undefined) throw new NotYet("no node leads");
    await through.disableMount(mount);
  };
  await until(`the mount ${mount} to be removed`, remove, within({ say, signal }, cleanUpSeconds)).catch(
    (error) => say(`the mount ${mount} stays behind, and the next rehearsal removes it: ${words(error)}`),
  );
  for (const each of vaults) each.close();
}
