// npm run recover: goes on with the nodes that are left, where a majority of the voters is lost for good.
import { confirmName } from "../operate/confirm-name.ts";
import { readBegun } from "../operate/recover/begun.ts";
import { findLeft, problemsOf } from "../operate/recover/found.ts";
import { podStores } from "../operate/recover/pod-stores.ts";
import { recoverQuorum } from "../operate/recover/recover.ts";
import { foundText, nextCommands, recoveredText } from "../operate/recover/text.ts";
import { holdersSeconds } from "../operate/stack-file.ts";
import { commandsOf } from "../operate/views/commands.ts";
import { openSubject } from "../operate/views/subject.ts";
import { gatherViews, wayToNode } from "../operate/views/views.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { Stack } from "../setup/stack.ts";
import { openRoad } from "../steps/lib/reach.ts";
import { takeStackLock } from "../steps/lib/stack-lock.ts";
import { within } from "../steps/lib/wait.ts";

/** How long it waits for a step that works on the stack, in seconds. */
const lockSeconds = 30;

/** The longest that one of its waits may take, in seconds: as the steps' own (timeouts.stepSeconds). */
const waitSeconds = 300;

/** How long one place may take to answer, in milliseconds: a node that is slow must not seem lost. */
const limitMs = 8_000;

const { flags, words } = argumentsOrExit({
  command: "npm run recover",
  says: [
    "Where a majority of the voters' stores is lost for good, has those that are left go on as the whole cluster, by",
    "Vault's raft/peers.json. Says first what is left and what may be lost, copies what is left to this machine, and proves",
    "that one leads. Refused while there is a quorum, or can be. Cut off anywhere, the same command goes on.",
  ].join("\n"),
  words: { name: "what", says: "what is recovered", choices: ["quorum"] },
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    lost: { says: "nodes that do not answer and are lost for good, with a comma between", value: "nodes" },
    confirm: { says: "the stack's name once more, where nobody can be asked", value: "name" },
    "dry-run": { says: "says what is left and what would be done, and changes nothing" },
    json: { says: "what it came to as a JSON object on standard output" },
  },
});
if (words.length !== 1) {
  console.error("say what is recovered: quorum");
  console.error("See: npm run recover -- --help");
  process.exit(2);
}
const name = String(flags.stack ?? "dev");
const given = flags.lost === undefined ? [] : String(flags.lost).split(",");
const again = `npm run recover quorum -- --stack ${name}${given.length > 0 ? ` --lost ${given.join(",")}` : ""} --confirm ${name}`;

await runCommand("npm run recover", run, { stops: true });

async function run(): Promise<never> {
  const subject = await openSubject(name);
  const { stackDir, target } = subject;
  const commands = commandsOf(subject);
  if (target?.reach.kind !== "kubernetes")
    throw new CommandError(`Stack ${name} has no Vault yet. Make it with: ${commands.up}`);
  const stack = new Stack(name);
  const { signal } = stopOnInterrupt({
    stopping: `to go on: ${again}`,
    left: `Left at once. To go on: ${again}`,
  });
  if (!flags["dry-run"]) {
    stack.unlock(say);
    await takeStackLock(stack.dir, "recover", within({ say, signal }, lockSeconds));
  }
  const keys = await subject.keys();
  if (keys === undefined) throw new CommandError(`Vault is not initialised. Next: ${commands.up}`);
  const [views, begun] = [await gatherViews(subject, limitMs), await readBegun(stackDir)];
  const found = findLeft(subject, views);
  const problems = problemsOf(found, given, begun, {
    unseal: keys.byHolders ? commands.unseal : commands.up,
    restore: `npm run restore <snapshot> -- --stack ${name}`,
  });
  if (problems.length > 0)
    throw new CommandError(`Nothing is recovered; nothing was changed.\n  ${problems.join("\n  ")}`);
  say(foundText(found, keys.byHolders && { threshold: keys.threshold, command: commands.unseal }));
  if (flags["dry-run"]) {
    const text = flags.json ? `${JSON.stringify(found, null, 2)}\n` : "Nothing was changed.\n";
    return await printAndExit(text, 0);
  }
  await confirmName(name, flags.confirm === undefined ? undefined : String(flags.confirm), {
    because: `What is left of Vault of stack ${name} is about to become the whole of it.`,
    to: "To go on with it",
    undone: "Nothing was changed.",
    command: again,
  });
  const recovered = await recoverQuorum(found, begun, {
    ...target,
    keys,
    stores: await podStores(target.reach, stack.env),
    roadTo: (node) => openRoad(wayToNode(target, views, node)),
    timeoutSeconds: keys.byHolders ? holdersSeconds(name, waitSeconds) : waitSeconds,
    say,
    signal,
  });
  const next = nextCommands(subject, views, found, recovered);
  const text = flags.json
    ? `${JSON.stringify({ ...recovered, next }, null, 2)}\n`
    : recoveredText(recovered, next);
  return await printAndExit(text, 0);
}

function say(line: string): void {
  console.error(line);
}
