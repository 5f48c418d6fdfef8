// npm run rekey: gives Vault other key shares, in the same or another number.
import { openRotating } from "../operate/rotation/open.ts";
import { cancel, inWords, planRekey, type RekeyPlan, rekey } from "../operate/rotation/rekey.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, holdInterrupt, printAndExit, runCommand } from "../setup/command.ts";

const { flags } = argumentsOrExit({
  command: "npm run rekey",
  says: [
    "Has Vault make new key shares, with the stack's present ones. Nobody is interrupted, and no pod is restarted.",
    "The new ones are on the disk, and were given back to Vault, before they are good; the former ones are kept, for the",
    "snapshots of before. Cut off anywhere, the same command goes on. Then: npm run up",
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
    const text = `${inWords(rekeyed)}. Bring them into Pulumi's state:\n${next.map((line) => `  ${line}\n`).join("")}`;
    return await print({ ...rekeyed, next }, text);
  } catch (error) {
    if (error instanceof CommandError && /\nNext: /.test(error.message)) throw error;
    throw new CommandError(`${(error as Error).message}\nNext: ${again}`);
  } finally {
    release();
  }
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

function planText({ from, to, begunAt }: RekeyPlan): string {
  const begun = begunAt ? ` It goes on with the rekey that was begun at ${begunAt}.` : "";
  return `Now: ${inWords(from)}. Afterwards: ${inWords(to)}.${begun} Nothing was changed.\n`;
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
