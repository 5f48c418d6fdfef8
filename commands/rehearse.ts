// npm run rehearse: what is hoped for is tried. failover ends the leader while writes go on, and measures what that
// cost; restore restores the newest snapshot into a Vault that is thrown away, and reads everything in it.
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { refuseWithoutShares } from "../operate/custody/held.ts";
import { type OpenVault, openVault, vaultKeys } from "../operate/open-vault.ts";
import { rehearseFailover, usualBackSeconds } from "../operate/rehearsal/failover.ts";
import { type Killer, nodeKiller, podKiller, signalKiller } from "../operate/rehearsal/killers.ts";
import { multiplierOf } from "../operate/rehearsal/multiplier.ts";
import { picture } from "../operate/rehearsal/picture.ts";
import { asObject, asText, headline, isGood, type Rehearsed } from "../operate/rehearsal/report.ts";
import { settleSeconds } from "../operate/rehearsal/settled.ts";
import { keysFor } from "../operate/restore/original-keys.ts";
import { rehearseRestore } from "../operate/restore/rehearse-restore.ts";
import { rehearsedText } from "../operate/restore/text.ts";
import { listSnapshots } from "../operate/snapshot/list.ts";
import { holdersSeconds } from "../operate/stack-file.ts";
import { clusterExists } from "../operate/stack-texts.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { checkout } from "../setup/folders.ts";
import { takeStackLock } from "../steps/lib/stack-lock.ts";
import { within } from "../steps/lib/wait.ts";

/** How long it waits for a step, or another rehearsal, that works on the stack, in seconds. */
const lockSeconds = 30;

/** The longest that one of the waits of a rehearsed restore may take, in seconds. */
const restoreSeconds = 120;

const { flags, words } = argumentsOrExit({
  command: "npm run rehearse",
  says: [
    "restore: restores a snapshot into a Vault in a namespace of its own, which is removed at the end; reads every secret",
    "of its kv engines, and notes beside the snapshot that and how fast it went. The stack's own Vault is not touched.",
    "failover: ends Vault's leader while writes go on, brings it back, and tells how long no write was taken,",
    "whether an acknowledged one was lost, and when all was whole again. It changes nothing that it does not put back.",
  ].join("\n"),
  words: { name: "what", says: "what is rehearsed", choices: ["failover", "restore"] },
  after: { name: "file", says: "for restore: the snapshot (default: the stack's newest)" },
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    signal: {
      says: "failover: end the leader's process with this signal (the default: KILL)",
      value: "signal",
      choices: ["KILL", "TERM"],
    },
    pod: { says: "failover: end it by deleting its pod", value: "how", choices: ["delete"] },
    node: { says: "failover: end it by stopping its Kubernetes node", value: "how", choices: ["stop"] },
    rounds: { says: "failover: how often (default 1)", value: "number" },
    svg: { says: "failover: where the picture goes (default: the stack's folder)", value: "file" },
    json: { says: "what was found as a JSON object on standard output" },
  },
});
const [what, file] = words;
const rounds = Number(flags.rounds ?? 1);
refuseMistakes();

await runCommand(`npm run rehearse ${what}`, what === "restore" ? restore : failover, { stops: true });

async function restore(): Promise<never> {
  const open = await openVault(String(flags.stack ?? "dev"));
  const { stack, target } = open;
  const { signal } = stopOnInterrupt({
    stopping: "the rehearsal's namespace is removed first.",
    left: "Left at once. The next rehearsal removes what this one has left.",
  });
  await takeStackLock(stack.dir, "rehearsal", within({ say, signal }, lockSeconds));
  const now = await vaultKeys(open);
  refuseWithoutShares(
    now,
    "Rehearsing a restore opens a copy of the snapshot, and that",
    `docs/custody.md, Snapshots, says how the holders prove one`,
  );
  const stackDir = relative(checkout, stack.dir);
  const snapshot = file ?? (await listSnapshots(stackDir))[0]?.file;
  if (snapshot === undefined)
    throw new CommandError(
      `Stack ${stack.name} has no snapshot on this machine. Next: npm run snapshot save -- --stack ${stack.name}`,
    );
  const keys = await keysFor(snapshot, stackDir, now, say);
  const waiting = { timeoutSeconds: restoreSeconds, say, signal };
  const rehearsed = await rehearseRestore({
    ...{ stack: stack.name, stackDir, reach: target.reach, file: snapshot, keys },
    ...waiting,
  });
  const text = flags.json ? `${JSON.stringify(rehearsed, null, 2)}\n` : rehearsedText(rehearsed);
  return await printAndExit(text, 0);
}

async function failover(): Promise<never> {
  const open = await openVault(String(flags.stack ?? "dev"));
  const { stack, resources, pods } = open;
  const { signal } = stopOnInterrupt({
    stopping: "a leader that was ended is brought back first.",
    left: `Left at once. A node may be sealed or stopped: npm run up -- --stack ${stack.name}`,
  });
  stack.unlock(say);
  await takeStackLock(stack.dir, "rehearsal", within({ say, signal }, lockSeconds));
  const keys = await vaultKeys(open);
  if (keys === undefined)
    throw new CommandError(`Vault is not initialised. Next: npm run up -- --stack ${stack.name}`);
  const killer = killerOf(open);
  const performanceMultiplier = multiplierOf(resources);
  const found = await rehearseFailover({ ...open, keys }, killer, {
    rounds,
    settleSeconds: settleSeconds(performanceMultiplier ?? 5),
    say,
    signal,
    ...(keys.byHolders && { backSeconds: holdersSeconds(stack.name, usualBackSeconds) }),
    ended: (round) => say(headline(round)),
  });
  const began = found[0]?.began.slice(0, 19).replaceAll(":", "-");
  const file = String(flags.svg ?? relative(process.cwd(), join(stack.dir, `rehearsal-${began}.svg`)));
  const rehearsed: Rehearsed = {
    stack: stack.name,
    nodes: pods,
    kill: killer.says,
    performanceMultiplier,
    rounds: found,
    picture: file,
  };
  writeFileSync(file, picture(rehearsed));
  process.stdout.write(flags.json ? `${JSON.stringify(asObject(rehearsed), null, 2)}\n` : asText(rehearsed));
  // Connections to a node that was ended may take their time to fail.
  process.exit(found.every(isGood) ? 0 : 1);
}

function killerOf(open: OpenVault): Killer {
  if (flags.pod) return podKiller(open);
  if (clusterExists(open.stack.name))
    throw new CommandError(
      `The nodes of stack ${open.stack.name} are no containers of this machine, so nothing can be done on them from here.\nNext: npm run rehearse failover -- --stack ${open.stack.name} --pod delete`,
    );
  if (flags.node) return nodeKiller(open);
  return signalKiller(open, flags.signal === "TERM" ? "TERM" : "KILL");
}

function say(line: string): void {
  console.error(line);
}

function refuseMistakes(): void {
  const ways = (["signal", "pod", "node"] as const).filter((way) => flags[way] !== undefined);
  const problems = [
    ...(what === undefined ? ["say what is rehearsed: failover or restore"] : []),
    ...(what === "failover" && file !== undefined ? [`failover takes no file, found "${file}"`] : []),
    ...(what === "restore" ? notFor("restore", ["signal", "pod", "node", "rounds", "svg"]) : []),
    ...(ways.length > 1
      ? [`the leader is ended in one way, found ${ways.map((way) => `--${way}`).join(" and ")}`]
      : []),
    ...(Number.isInteger(rounds) && rounds > 0
      ? []
      : [`--rounds takes a whole number from 1, found "${flags.rounds}"`]),
    ...(flags.svg === undefined || existsSync(dirname(String(flags.svg)))
      ? []
      : [`--svg ${flags.svg}: there is no folder ${dirname(String(flags.svg))}`]),
  ];
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  console.error("See: npm run rehearse -- --help");
  process.exit(2);
}

function notFor(what: string, names: string[]): string[] {
  return names.filter((each) => flags[each] !== undefined).map((each) => `--${each} is not for ${what}`);
}
