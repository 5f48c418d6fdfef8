// npm run snapshot: saves a snapshot of Vault, lists those that there are, and tells what is in one.
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fetchBackup, listBackups } from "../operate/backup/open.ts";
import { openVault, vaultKeys } from "../operate/open-vault.ts";
import { renewStackToken } from "../operate/rotation/renew.ts";
import { listSnapshots } from "../operate/snapshot/list.ts";
import { backupsText, bytes, factsText, listText } from "../operate/snapshot/text.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { toolEnvironment } from "../setup/environment.ts";
import { checkout } from "../setup/folders.ts";
import { Stack } from "../setup/stack.ts";
import { loadSources } from "../sources.ts";
import { words as inWords } from "../steps/lib/errors.ts";
import { leaderAmong } from "../steps/lib/leading.ts";
import { saveSnapshot } from "../steps/lib/snapshot.ts";
import { readSnapshot } from "../steps/lib/snapshot-file.ts";
import { readRecord, snapshotFolder, writeRecord } from "../steps/lib/snapshot-record.ts";
import { takeStackLock } from "../steps/lib/stack-lock.ts";
import { Vault } from "../steps/lib/vault.ts";
import { until, within } from "../steps/lib/wait.ts";

/** How long it waits for a step that works on the stack, and for a node that leads, in seconds. */
const waitSeconds = 30;

/** How long one that is fetched may take, in seconds. */
const fetchSeconds = 3600;

const { flags, words } = argumentsOrExit({
  command: "npm run snapshot",
  says: [
    "save: a snapshot from the node that leads, checked, into a file that you alone may read.",
    "list: the stack's snapshots on this machine, and the scheduled ones in the cluster or its bucket. fetch: brings one of these here.",
    "inspect: what is in one, and whether it is whole.",
    "A snapshot holds everything that Vault stores, encrypted; it is worth nothing without the shares of its time.",
  ].join("\n"),
  words: { name: "what", says: "what is done", choices: ["save", "list", "inspect", "fetch"] },
  after: {
    name: "file",
    says: "where save writes it (default: the stack's folder snapshots/), what inspect reads, or which one fetch brings",
  },
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    json: { says: "the same as a JSON object on standard output" },
  },
});
const [what, file] = words;
const name = String(flags.stack ?? "dev");
refuseMistakes();

await runCommand(
  "npm run snapshot",
  () => (what === "save" ? save() : what === "list" ? list() : what === "fetch" ? fetch() : inspect()),
  {
    stops: what === "save" || what === "fetch" || what === "list",
  },
);

async function save(): Promise<never> {
  const open = await openVault(name);
  const { signal } = stopOnInterrupt({ stopping: "nothing is left of it.", left: "Left at once." });
  await takeStackLock(open.stack.dir, "snapshot", within({ say, signal }, waitSeconds));
  const keys = await vaultKeys(open);
  if (keys === undefined)
    throw new CommandError(`Vault is not initialised. Next: npm run up -- --stack ${name}`);
  const vaults = open.pods.map((pod) => new Vault(open.road, pod, { signal }, keys.rootToken));
  const step = within({ say, signal }, waitSeconds);
  const next = `npm run doctor -- --stack ${name}`;
  const leader = await until("a node to lead", () => leaderAmong(vaults), step, next);
  const to = file === undefined ? relative(process.cwd(), snapshotFolder(open.stack.dir)) : { file };
  const { record, ...saved } = await saveSnapshot(leader, to, name, { say, signal });
  // So that the keys stay as long as it may be there.
  if (file !== undefined) {
    const named = `${name}-${record.savedAt.replaceAll(/[-:]|\.\d+/g, "")}-${record.index}.snap`;
    await writeRecord(join(snapshotFolder(open.stack.dir), named), { ...record, elsewhere: resolve(file) });
  }
  await renewStackToken({ ...open, stack: name, stackDir: open.target.stackDir, ...step });
  const { clusterId, savedAt } = record;
  const proving = keys.byHolders
    ? "docs/custody.md, Snapshots, says how the holders do it"
    : `npm run rehearse restore${name === "dev" ? "" : ` -- --stack ${name}`}`;
  const text = `Saved ${saved.file} (${bytes(saved.size)}), from ${leader.node}. Its keys are those of now: keep them as long as the snapshot.\nProve that it can be restored: ${proving}\n`;
  return await printAndExit(flags.json ? json({ ...saved, clusterId, savedAt }) : text, 0);
}

async function list(): Promise<never> {
  const listed = await listSnapshots(relative(checkout, new Stack(name).dir));
  const backups = await scheduled(
    stopOnInterrupt({ stopping: "nothing is left of it.", left: "Left at once." }),
  );
  if (flags.json) return await printAndExit(json(listed), 0);
  return await printAndExit(`${listText(name, listed)}${backupsText(name, backups)}`, 0);
}

/** Those of the schedule; undefined where there is no schedule, or nobody to ask. What lies here is listed all the same. */
async function scheduled({ signal }: { signal: AbortSignal }) {
  try {
    const open = await openVault(name);
    const step = within({ say, signal }, waitSeconds);
    const env = toolEnvironment(loadSources().images === "closed");
    return await listBackups(open, env, step, async () => {
      await takeStackLock(open.stack.dir, "snapshot", step);
    });
  } catch (error) {
    signal.throwIfAborted();
    say(`The scheduled ones are not known: ${inWords(error)}`);
    return undefined;
  }
}

async function fetch(): Promise<never> {
  const wanted = file ?? "";
  const open = await openVault(name);
  const { signal } = stopOnInterrupt({ stopping: "nothing is left of it.", left: "Left at once." });
  await takeStackLock(open.stack.dir, "snapshot", within({ say, signal }, waitSeconds));
  const to = join(relative(process.cwd(), snapshotFolder(open.stack.dir)), wanted);
  if (existsSync(to)) throw new CommandError(`${to} is there already.`);
  const env = toolEnvironment(loadSources().images === "closed");
  const facts = await fetchBackup(open, wanted, to, env, within({ say, signal }, fetchSeconds));
  const text = `Fetched ${to} (${bytes(facts.size)}, raft index ${facts.index}), whole.\n`;
  return await printAndExit(flags.json ? json({ file: to, ...facts }) : text, 0);
}

async function inspect(): Promise<never> {
  const path = file ?? "";
  const [facts, record] = [await readSnapshot(path), await readRecord(path)];
  if (record !== undefined && record.sha256 !== facts.sha256)
    throw new CommandError(
      `${path} is a whole snapshot, but not the one that its record ${path}.json was written for (SHA-256 ${facts.sha256}, noted ${record.sha256}).`,
    );
  return await printAndExit(
    flags.json ? json({ file: path, ...facts, record }) : factsText(path, facts, record),
    0,
  );
}

function json(object: object): string {
  return `${JSON.stringify(object, null, 2)}\n`;
}

function say(line: string): void {
  console.error(line);
}

function refuseMistakes(): void {
  const problems = [
    ...(what === undefined ? ["say what is done: save, list, inspect or fetch"] : []),
    ...(what === "fetch" && (file === undefined || !/^[\w.-]+\.snap$/.test(file) || file.startsWith("."))
      ? ["fetch wants the name of a snapshot, as list gives it"]
      : []),
    ...(what === "inspect" && file === undefined ? ["inspect wants a file"] : []),
    ...(what === "list" && file !== undefined ? [`list takes no file, found "${file}"`] : []),
    ...(words.length > 2 ? [`one file at a time, found ${words.slice(1).join(", ")}`] : []),
    ...(what === "save" && file !== undefined && existsSync(file) ? [`${file} is there already`] : []),
    ...(what === "save" && file !== undefined && !existsSync(dirname(file))
      ? [`there is no folder ${dirname(file)}`]
      : []),
  ];
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  console.error("See: npm run snapshot -- --help");
  process.exit(2);
}
