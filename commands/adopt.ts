// npm run adopt: a stack goes on with a Vault that was made by hand. Nothing is restarted, nothing is initialised.
import { mkdirSync } from "node:fs";
import { relative } from "node:path";
import { text } from "node:stream/consumers";
import { settingsOf, settingTexts } from "../config.ts";
import { adoptedText, alreadyText } from "../operate/adopt/adopted-text.ts";
import { askKeys } from "../operate/adopt/ask-keys.ts";
import { examine } from "../operate/adopt/examine.ts";
import type { Place } from "../operate/adopt/found.ts";
import { ownerAt } from "../operate/adopt/gather.ts";
import { type GivenKeys, keysUsage, parseKeys } from "../operate/adopt/given-keys.ts";
import { flaggedTexts, placeFlags } from "../operate/adopt/place-flags.ts";
import { proveOn } from "../operate/adopt/prove-on.ts";
import { olderPods, removeNotes, takeOver } from "../operate/adopt/take-over.ts";
import { podsOf } from "../operate/open-vault.ts";
import { stackTexts } from "../operate/stack-texts.ts";
import { prefix } from "../settings/words.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, endOnInterrupt, holdInterrupt, runCommand } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";
import { writeKubeconfig } from "../setup/kubeconfig.ts";
import { Progress } from "../setup/progress.ts";
import { pulumiShown } from "../setup/pulumi.ts";
import { Stack } from "../setup/stack.ts";
import { readKeys } from "../steps/lib/keys-file.ts";
import { openKube } from "../steps/lib/kube.ts";

const { flags } = argumentsOrExit({
  command: "npm run adopt",
  says: "Takes over a Vault that was made by hand (helm install, init, unseal, join) on a cluster that exists. Nothing is\nrestarted or initialised. Its shares are read from standard input, once, or asked for at a terminal:\n  npm run -s adopt -- --stack <name> --context <context> < cluster-keys.json",
  flags: {
    stack: { says: "the stack that goes on with it; it is made if there is none", value: "name" },
    ...placeFlags,
  },
});

const name = String(flags.stack ?? "dev");
const command = `npm run -s adopt -- --stack ${name}`;

await runCommand("npm run adopt", adopt, { stops: true });

async function adopt(): Promise<void> {
  const release = endOnInterrupt("npm run adopt");
  const flagged = flagTexts();
  const texts = { ...settingTexts(stackTexts(name) ?? {}), ...flagged };
  const settings = settingsOf(
    name,
    Object.fromEntries(Object.entries(texts).map(([key, value]) => [prefix + key, value])),
  );
  if (settings.cluster.existing === undefined)
    throw new CommandError(
      `Stack ${name} has no cluster that exists. Nothing was changed. Name it (kubectl config get-contexts):\n  ${command} --context <context> < cluster-keys.json`,
    );
  const stack = new Stack(name);
  const resources = (await stack.exists()) ? await stack.resources() : [];
  const has = (noun: string) => resources.some(({ urn }) => urn.endsWith(`::${noun}`));
  const journal = await readKeys(stack.dir);
  const begun = journal?.adoptedAt !== undefined;
  if (begun && has("lifecycle-verify")) return void process.stdout.write(alreadyText(name));
  if (!begun && (has("vault-release") || has("cluster-create")))
    throw new CommandError(
      `Stack ${name} has a Vault or a cluster already. Nothing was changed.\n  npm run status -- --stack ${name}`,
    );

  mkdirSync(stack.dir, { recursive: true, mode: 0o700 });
  const kube = await openKube(writeKubeconfig(settings.cluster.existing, relative(checkout, stack.dir)));
  const { namespace } = settings.vault;
  const place = (): Place => ({ kube, namespace, signal: AbortSignal.timeout(300_000) });
  const takenOver = begun && (await ownerAt(place())) === name;
  const progress = new Progress(takenOver ? 1 : 4);
  if (takenOver) release();
  else {
    const keys = await keysToBegin(journal);
    const look = () => examine(stack, { settings, texts, keys }, place());
    const found = await progress.step("look at what is there", look);
    const { threshold } = found;
    const given = keys ?? (await askKeys(threshold));
    // From here on a token may be nowhere but in this process.
    release();
    const endHold = holdInterrupt(command);
    const proved = await progress.step("prove the shares", () =>
      proveOn(found, { ...given, threshold }, place()),
    );
    await progress.step("take over", ({ line }) =>
      takeOver(stack, { ...found, flagged, keys: proved }, place(), line),
    );
    endHold();
  }
  stack.unlock(console.error);
  await stack.forgetPending(console.error);
  if (!has("vault-release")) await removeNotes(place());
  // Not held against the policy pack: a Vault of the tutorial speaks HTTP, and what comes next is to change that.
  await progress.handOver("pulumi up", () =>
    pulumiShown(stack.env, ["up", "--yes", "--stack", name], `To go on where it stopped: ${command}`),
  );
  const pods = podsOf(await stack.resources());
  const older = await olderPods(place(), pods);
  process.stdout.write(adoptedText(name, pods, older));
}

/** The settings that the flags stand for, as typed. */
function flagTexts(): Record<string, string> {
  const flagged = flaggedTexts(flags);
  if (flags.stack === undefined && Object.keys(flagged).length > 0)
    throw new CommandError(
      "These flags are written to a stack's settings, so name the stack: --stack <name>",
      2,
    );
  return flagged;
}

/** The keys as far as they are known now: of a run that was cut off, or from standard input; else they are asked for. */
async function keysToBegin(journal: Awaited<ReturnType<typeof readKeys>>): Promise<GivenKeys | undefined> {
  if (journal?.adoptedAt !== undefined && journal.answer !== undefined) {
    console.error("The keys of the run that was cut off are there, so none are read.");
    return { ...journal.answer, threshold: journal.threshold };
  }
  return process.stdin.isTTY ? undefined : parseKeys(await text(process.stdin), keysUsage(command));
}
