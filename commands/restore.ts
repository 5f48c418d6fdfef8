// npm run restore: puts a snapshot in the place of what Vault holds, and proves that it is there.
import { relative } from "node:path";
import { confirmName } from "../operate/confirm-name.ts";
import { refuseWithoutShares } from "../operate/custody/held.ts";
import { openVault, vaultKeys } from "../operate/open-vault.ts";
import { originalKeys } from "../operate/restore/original-keys.ts";
import { planRestore } from "../operate/restore/plan.ts";
import { type Outcome, restore } from "../operate/restore/restore.ts";
import type { Restoring } from "../operate/restore/restoring.ts";
import { outcomeText, planText } from "../operate/restore/text.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";
import { pulumi } from "../setup/pulumi.ts";
import type { Stack } from "../setup/stack.ts";
import { openKube } from "../steps/lib/kube.ts";
import { takeStackLock } from "../steps/lib/stack-lock.ts";
import { within } from "../steps/lib/wait.ts";

/** How long it waits for a step that works on the stack, in seconds. */
const lockSeconds = 30;

/** The longest that one of its waits may take, in seconds: as the steps' own (timeouts.stepSeconds). */
const waitSeconds = 300;

const { flags, words } = argumentsOrExit({
  command: "npm run restore",
  says: [
    "Puts a snapshot in the place of what Vault holds. It says first what is lost, saves what runs as the way back,",
    "and proves the result. Cut off anywhere, the same command goes on.",
    "A snapshot of another Vault, or of the time before a rekey, wants --from-cluster and the shares of its time: from a",
    "journal that the stack's folder kept, or from standard input, once:",
    "  npm run -s restore <file> -- --from-cluster <id> --confirm <stack> < cluster-keys.json",
  ].join("\n"),
  words: { name: "file", says: "file: the snapshot (npm run snapshot list)" },
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    "from-cluster": {
      says: "the id of the Vault that the snapshot is of, where its shares are others",
      value: "id",
    },
    confirm: { says: "the stack's name once more, where nobody can be asked", value: "name" },
    "dry-run": { says: "says what would be done and lost, and changes nothing" },
    json: { says: "what it came to as a JSON object on standard output" },
  },
});
const [file = ""] = words;
if (words.length !== 1) {
  console.error(
    words.length === 0
      ? "say which snapshot is restored"
      : `one snapshot at a time, found ${words.join(", ")}`,
  );
  console.error("See: npm run restore -- --help");
  process.exit(2);
}
const name = String(flags.stack ?? "dev");
const fromCluster = flags["from-cluster"] === undefined ? undefined : String(flags["from-cluster"]);
const again = `npm run -s restore ${file} -- --stack ${name}${fromCluster ? ` --from-cluster ${fromCluster}` : ""}`;

await runCommand("npm run restore", run, { stops: true });

async function run(): Promise<never> {
  const open = await openVault(name);
  const { stack, road, pods, target } = open;
  const { signal } = stopOnInterrupt({
    stopping: `to go on: ${again}`,
    left: `Left at once. To go on: ${again}`,
  });
  if (!flags["dry-run"]) {
    stack.unlock(say);
    await takeStackLock(stack.dir, "restore", within({ say, signal }, lockSeconds));
  }
  const keys = await vaultKeys(open);
  if (keys === undefined)
    throw new CommandError(`Vault is not initialised. Next: npm run up -- --stack ${name}`);
  if (fromCluster !== undefined)
    refuseWithoutShares(
      keys,
      "Restoring a snapshot of other shares",
      "restore it into a stack of custody.mode stack (docs/snapshots.md), or by hand: vault operator raft snapshot restore -force <file>, which the holders of its time unseal",
    );
  const stackDir = relative(checkout, stack.dir);
  const waiting = { timeoutSeconds: waitSeconds, say, signal };
  const kube = await openKube(target.reach.kubeconfig);
  const restart = (pod: string) =>
    kube.delete(`/api/v1/namespaces/${target.reach.namespace}/pods/${pod}`, signal);
  const restoring: Restoring = {
    ...target,
    stackDir,
    road,
    pods,
    keys,
    file,
    fromCluster,
    restart,
    ...waiting,
  };
  const plan = await planRestore(restoring);
  say(planText(plan, restoring));
  const { clusterId } = plan.live ?? {};
  if (flags["dry-run"]) {
    const found = { ...plan, lost: plan.force ? "everything" : "everything written since", clusterId };
    const text = "Nothing was changed.\n";
    return await printAndExit(flags.json ? `${JSON.stringify(found, null, 2)}\n` : text, 0);
  }
  await confirmName(name, flags.confirm === undefined ? undefined : String(flags.confirm), {
    because: `What Vault of stack ${name} holds is about to be replaced.`,
    to: "To restore the snapshot into it",
    undone: "Nothing was changed.",
    command: `${again} --confirm ${name}`,
  });
  const threshold = plan.facts.seal?.threshold ?? 1;
  const original = fromCluster
    ? await originalKeys(
        stackDir,
        fromCluster,
        { threshold, command: `${again} --confirm ${name}`, savedAt: plan.record?.savedAt },
        say,
      )
    : undefined;
  const outcome = await restore(plan, restoring, original);
  await giveUpFormer(stack, outcome);
  const text = flags.json ? `${JSON.stringify(outcome, null, 2)}\n` : outcomeText(outcome, name);
  return await printAndExit(text, 0);
}

/** The steps know the Vault that ran before by its id, and would refuse the one that has taken its place. */
async function giveUpFormer(stack: Stack, { formerCluster }: Outcome): Promise<void> {
  if (formerCluster === undefined) return;
  const { giveUp } = readStackFile(name).settings.vault;
  const all = [...new Set([...giveUp, formerCluster])].join(",");
  await pulumi(stack.env, ["config", "set", "vault.giveUp", all, "--stack", stack.name]);
  say(
    `vault.giveUp names the Vault that ran before (${formerCluster}) in the settings of stack ${stack.name}`,
  );
}

function say(line: string): void {
  console.error(line);
}
