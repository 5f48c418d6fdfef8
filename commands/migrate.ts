// npm run migrate standalone: a Vault of one node on file storage becomes a stack's highly available one.
import { mkdirSync } from "node:fs";
import { relative } from "node:path";
import { text } from "node:stream/consumers";
import { settingsOf, settingTexts } from "../config.ts";
import { askKeys } from "../operate/adopt/ask-keys.ts";
import type { Place } from "../operate/adopt/found.ts";
import { keysProblem, keysUsage, parseKeys } from "../operate/adopt/given-keys.ts";
import { flaggedTexts, placeFlags } from "../operate/adopt/place-flags.ts";
import { beginKeepingData, note } from "../operate/migrate/begin.ts";
import { confirmLoss } from "../operate/migrate/confirm-loss.ts";
import { type Examined, examineStandalone, refuse } from "../operate/migrate/examine.ts";
import { copyPath, goOn } from "../operate/migrate/go-on.ts";
import { type Record, readRecord, recordPath } from "../operate/migrate/record.ts";
import { endText, lossText, planText } from "../operate/migrate/text.ts";
import { stackTexts } from "../operate/stack-texts.ts";
import { prefix } from "../settings/words.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";
import { writeKubeconfig } from "../setup/kubeconfig.ts";
import { Progress } from "../setup/progress.ts";
import { Stack } from "../setup/stack.ts";
import { openKube } from "../steps/lib/kube.ts";
import { takeStackLock } from "../steps/lib/stack-lock.ts";
import { within } from "../steps/lib/wait.ts";

const { flags, words } = argumentsOrExit({
  command: "npm run migrate",
  says: [
    "standalone: a Vault of one node on the storage file, as Helm's chart makes it (server.standalone), becomes the stack's",
    "own, with its data, its shares and its token. The shares are read from standard input, once, or asked for:",
    "  npm run -s migrate standalone -- --stack <name> --context <context> < cluster-keys.json",
  ].join("\n"),
  words: { name: "what", says: "what is migrated", choices: ["standalone"] },
  flags: {
    stack: { says: "the stack that goes on with it; it is made if there is none", value: "name" },
    ...placeFlags,
    "dry-run": { says: "look at it, say what would be done and what is in the way, and change nothing" },
    "begin-anew": { says: "delete the Standalone with all of its data instead of bringing it over" },
    confirm: { says: "for --begin-anew: the stack's name, typed once more", value: "name" },
  },
});

/** How long it waits for a step that works on the stack, in seconds. */
const lockSeconds = 30;

const name = String(flags.stack ?? "");
const command = `npm run -s migrate standalone -- --stack ${name || "<name>"}`;
refuseMistakes();

await runCommand("npm run migrate standalone", migrate, { stops: true });

async function migrate(): Promise<void> {
  const { signal } = stopOnInterrupt({
    stopping: `what is half done is ended first. To go on: ${command}`,
    left: `Left at once. To go on: ${command}`,
  });
  const stack = new Stack(name);
  const { settings, texts, flagged } = stackSettings();
  if (settings.cluster.existing === undefined)
    throw new CommandError(
      `Stack ${name} has no cluster that exists. Nothing was changed. Name it (kubectl config get-contexts):\n  ${command} --context <context> < cluster-keys.json`,
    );
  mkdirSync(stack.dir, { recursive: true, mode: 0o700 });
  const stackDir = relative(checkout, stack.dir);
  const kube = await openKube(writeKubeconfig(settings.cluster.existing, stackDir));
  const place: Place = { kube, namespace: settings.vault.namespace, signal };
  const say = (line: string) => console.error(`      ${line}`);
  await takeStackLock(stack.dir, "migrate", within({ say, signal }, lockSeconds));
  const known = readRecord(stack.dir);
  if (known?.reached === "handed over") {
    process.stdout.write(
      `Stack ${name} has a migration behind it (${recordPath(stackDir)}). Nothing was changed. Next:\n  npm run up -- --stack ${name}\n`,
    );
    return;
  }
  const way = known?.way ?? (flags["begin-anew"] ? "begin anew" : "keep data");
  const keepsData = way === "keep data";
  const progress = new Progress(flags["dry-run"] ? 1 : keepsData ? 5 : 4);
  if (known) console.error(`A migration was begun (${way}), and goes on.`);
  const examined =
    known === undefined
      ? await progress.step("look at what is there", () =>
          examineStandalone(stack, { settings, texts, keepsData }, place),
        )
      : undefined;
  if (examined) {
    const told = { stack: name, namespace: place.namespace, found: examined.found };
    console.error(`\n${keepsData ? planText(told) : lossText(told)}`);
  }
  if (flags["dry-run"]) {
    process.stdout.write("Nothing was changed (--dry-run).\n");
    return;
  }
  const record = known ?? (await begin(examined as Examined));
  await goOn(stack, stackDir, { record, flagged }, place, progress);
  const kept = keepsData ? { copy: copyPath(stackDir) } : undefined;
  process.stdout.write(endText(name, place.namespace, kept));

  /** What has to be known or confirmed before anything is changed. */
  async function begin(found: Examined): Promise<Record> {
    if (!keepsData) {
      await confirmLoss(name, flags.confirm, command);
      return await note(stack, found, "begin anew", place);
    }
    const threshold = found.found.vault?.t ?? 0;
    const keys = process.stdin.isTTY
      ? await askKeys(threshold)
      : parseKeys(await text(process.stdin), keysUsage(command));
    const wrong = keysProblem(keys, threshold);
    refuse(wrong === undefined ? [] : [wrong]);
    // A token may be nowhere but in this process until it is written down, so this is not cut off.
    const uncut = { ...place, signal: AbortSignal.timeout(300_000) };
    return await progress.step("prove the shares", () =>
      beginKeepingData(stack, found, { ...keys, threshold }, settings.audit.enabled, uncut),
    );
  }
}

/** The stack's settings with what the flags stand for. */
function stackSettings() {
  const flagged = flaggedTexts(flags);
  const texts = { ...settingTexts(stackTexts(name) ?? {}), ...flagged };
  const full = Object.fromEntries(Object.entries(texts).map(([key, value]) => [prefix + key, value]));
  return { settings: settingsOf(name, full), texts, flagged };
}

/** All mistakes at once. */
function refuseMistakes(): void {
  const problems = [
    ...(words.length === 1 ? [] : ["name what is migrated: npm run migrate standalone"]),
    ...(name === "" ? ["name the stack that goes on with it: --stack <name>"] : []),
    ...(flags.confirm !== undefined && !flags["begin-anew"] ? ["--confirm is for --begin-anew"] : []),
  ];
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  console.error("See: npm run migrate -- --help");
  process.exit(2);
}
