// npm run rekey: gives Vault other key shares, in the same or another number.
import { readHolders } from "../components/holders.ts";
import { askUnseen } from "../operate/ask-unseen.ts";
import type { HeldByPeople } from "../operate/custody/held.ts";
import { cancelByHolders, rekeyByHolders } from "../operate/custody/rekey.ts";
import { holderPlan, holdersText, questionOf } from "../operate/custody/rekey-text.ts";
import { openRotating } from "../operate/rotation/open.ts";
import { cancel, planRekey, type RekeyPlan, rekey } from "../operate/rotation/rekey.ts";
import type { Rotating } from "../operate/rotation/rotating.ts";
import { inWords, numbersProblem } from "../operate/rotation/share-numbers.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { pipedShares } from "../operate/unseal/piped.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, holdInterrupt, printAndExit, runCommand } from "../setup/command.ts";
import { readKeys } from "../steps/lib/keys-file.ts";

const { flags } = argumentsOrExit({
  command: "npm run rekey",
  says: [
    "Has Vault make new key shares, with the stack's present ones. Nobody is interrupted, and no pod is restarted.",
    "The new ones are on the disk, and were given back to Vault, before they are good; the former ones are kept, for the",
    "snapshots of before. Cut off anywhere, the same command goes on. Then: npm run up",
    "Where people hold the shares (custody.mode pgp), the new ones are for the keys that custody.holders names. Present",
    "shares, then new ones, are asked for, or read from standard input, one a line; each can come in a run of its own:",
    "  gpg --decrypt share.asc | npm run -s rekey -- --stack <name>",
    "Of a Vault with a seal (vault.seal.type) they are the recovery shares.",
  ].join("\n"),
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    shares: { says: "how many shares there are to be (default: as many as now)", value: "number" },
    threshold: { says: "how many of them open Vault (default: as many as now)", value: "number" },
    cancel: { says: "ends a rekey that is under way; the present shares stay good", value: "nonce" },
    "dry-run": { says: "says what would be done, and changes nothing" },
    json: { says: "what it came to as a JSON object on standard output, without a share" },
  },
});
const name = String(flags.stack ?? "dev");
const again = `npm run rekey -- --stack ${name}`;
const numbers = { shares: numberOf("shares"), threshold: numberOf("threshold") };
refuseMistakes();

await runCommand("npm run rekey", run, { stops: true });

async function run(): Promise<never> {
  const dry = flags["dry-run"] === true;
  const rotating = await openRotating(name, dry ? undefined : "rekey");
  const journal = await readKeys(rotating.stackDir);
  if (journal?.pgp !== undefined) return await byHolders(rotating, { ...journal, pgp: journal.pgp });
  if (dry) {
    const plan = await planRekey(numbers, rotating);
    return await print(plan, planText(plan));
  }
  const release = holdInterrupt(again);
  try {
    if (flags.cancel !== undefined) {
      const cancelled = await cancel(String(flags.cancel), rotating);
      const text = cancelled ? "Cancelled. The shares of before are good.\n" : "No rekey is under way.\n";
      return await print({ cancelled }, text);
    }
    const rekeyed = await rekey(numbers, rotating);
    const settings = settingsFor(rekeyed);
    const next = [...settings, `npm run up -- --stack ${name}`];
    const text = `${inWords(rekeyed, rekeyed.seal)}. Bring them into Pulumi's state:\n${next.map((line) => `  ${line}\n`).join("")}`;
    return await print({ ...rekeyed, next }, text);
  } catch (error) {
    if (error instanceof CommandError && /\nNext: /.test(error.message)) throw error;
    throw new CommandError(`${(error as Error).message}\nNext: ${again}`);
  } finally {
    release();
  }
}

/** For the keys that the settings name. */
async function byHolders(rotating: Rotating, journal: HeldByPeople): Promise<never> {
  const { custody, vault } = readStackFile(name).settings;
  if (numbers.shares !== undefined)
    throw new CommandError(
      `How many shares there are to be is said by the keys for them: pulumi config set custody.holders <paths> --stack ${name}   (and vault.shares)`,
      2,
    );
  if (flags.cancel !== undefined) {
    const cancelled = await cancelByHolders(String(flags.cancel), rotating);
    return await print(
      { cancelled },
      cancelled ? "Cancelled. The shares of before are good.\n" : "No rekey is under way.\n",
    );
  }
  if (custody.mode !== "pgp")
    throw new CommandError(`Name the new holders' keys: pulumi config set custody.mode pgp --stack ${name}`);
  const { shares: holders } = await readHolders(custody);
  const threshold = numbers.threshold ?? vault.threshold;
  const problem = numbersProblem({ shares: holders.length, threshold });
  if (problem !== undefined) throw new CommandError(problem, 2);
  if (flags["dry-run"]) return await print(...holderPlan({ holders, threshold }, journal));
  const to = { holders, threshold };
  const done = process.stdin.isTTY
    ? await askUnseen((ask) =>
        rekeyByHolders(to, rotating, async (wish) => (await ask(questionOf(wish))) || undefined),
      ).catch((error) => {
        if (!(error instanceof CommandError) || error.exitCode !== 130) throw error;
        throw new CommandError(`Stopped. To go on: ${again}`, 130);
      })
    : await rekeyByHolders(to, rotating, await pipedShares(`${again}   (one share a line)`));
  return await print(done, holdersText(done, name));
}

/** The commands that have the settings say the new numbers. */
function settingsFor({ shares, threshold }: { shares: number; threshold: number }): string[] {
  const { vault } = readStackFile(name).settings;
  return [
    ...(vault.shares === shares ? [] : [`pulumi config set vault.shares ${shares} --stack ${name}`]),
    ...(vault.threshold === threshold
      ? []
      : [`pulumi config set vault.threshold ${threshold} --stack ${name}`]),
  ];
}

function planText({ from, to, begunAt, seal }: RekeyPlan): string {
  const begun = begunAt ? ` It goes on with the rekey that was begun at ${begunAt}.` : "";
  return `Now: ${inWords(from, seal)}. Afterwards: ${inWords(to, seal)}.${begun} Nothing was changed.\n`;
}

async function print(object: object, text: string): Promise<never> {
  return await printAndExit(flags.json ? `${JSON.stringify(object, null, 2)}\n` : text, 0);
}

function numberOf(flag: "shares" | "threshold"): number | undefined {
  return flags[flag] === undefined ? undefined : Number(flags[flag]);
}

function refuseMistakes(): void {
  const wrong = (["shares", "threshold"] as const).filter((flag) => {
    const number = numbers[flag];
    return number !== undefined && !(Number.isInteger(number) && number >= 1 && number <= 255);
  });
  const { shares, threshold } = numbers;
  const problems = [
    ...wrong.map((flag) => `--${flag} takes a whole number from 1 to 255, found "${flags[flag]}"`),
    ...(shares !== undefined && threshold !== undefined && threshold > shares
      ? [`--threshold is at most --shares, found ${threshold} of ${shares}`]
      : []),
    ...(flags.cancel !== undefined && (shares !== undefined || threshold !== undefined || flags["dry-run"])
      ? ["--cancel stands alone"]
      : []),
  ];
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  console.error("See: npm run rekey -- --help");
  process.exit(2);
}
