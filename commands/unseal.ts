// npm run unseal: people who hold the shares unseal a Vault, together or each from their own machine.
import { askUnseen } from "../operate/ask-unseen.ts";
import { heldByPeople, refuseUnknownStore } from "../operate/custody/held.ts";
import { makeToken } from "../operate/custody/token.ts";
import { openVault, vaultKeys } from "../operate/open-vault.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { Giving, type NodeSeen } from "../operate/unseal/give.ts";
import { pipedShares } from "../operate/unseal/piped.ts";
import { placeFlags, placeOf } from "../operate/unseal/place.ts";
import { Raising } from "../operate/unseal/raise.ts";
import { nodeLine, wanted } from "../operate/unseal/text.ts";
import { type Unseal, type Unsealed, unseal } from "../operate/unseal/unseal.ts";
import { pulumiView } from "../operate/views/pulumi-view.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { Vault } from "../steps/lib/vault.ts";

const { flags } = argumentsOrExit({
  command: "npm run unseal",
  says: [
    "Unseals the nodes of a Vault whose shares people hold (custody.mode pgp). A share is asked for at a terminal, and not",
    "shown, or read from standard input, one a line; it goes to every sealed node, and is kept in memory only:",
    "  gpg --decrypt share.asc | npm run -s unseal -- --stack <name>",
    "A holder does that on their own machine with a kubeconfig alone (--kubeconfig). Vault counts the shares; whoever gives",
    "the last one opens it. Exit code: 0 every share was taken, 1 one was not.",
  ].join("\n"),
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    ...placeFlags,
    stay: {
      says: "keeps the shares in memory for so long, for nodes that join or are restarted meanwhile",
      value: "minutes",
    },
    cancel: { says: "has the sealed nodes forget the shares that they were given so far" },
    json: { says: "what it came to as a JSON object on standard output" },
  },
});
const name = String(flags.stack ?? "dev");
const stay = Number(flags.stay ?? 0);
refuseMistakes();

await runCommand("npm run unseal", run, { stops: true });

interface Opened {
  vaults: Vault[];
  called: string;
  more?: Pick<Unseal, "raising" | "token">;
}

async function run(): Promise<never> {
  const again = flags.kubeconfig === undefined ? `npm run unseal -- --stack ${name}` : "the same command";
  const left = `What the nodes were given stays with them. To go on: ${again}; to have them forget it: --cancel`;
  const { signal } = stopOnInterrupt({ stopping: left, left });
  const asked: { ask?: (question: string) => Promise<string> } = {};
  const opened = flags.kubeconfig === undefined ? await ofStack(signal, asked) : await ofPlace(signal);
  if (flags.cancel) return await cancel(opened);
  const giving = new Giving(opened.vaults, { say, signal });
  refuseUnready(await giving.look());
  const work = { stack: opened.called, giving, say, signal, staySeconds: stay * 60, ...opened.more };
  const outcome = process.stdin.isTTY
    ? await askUnseen(async (ask) => {
        asked.ask = ask;
        return await unseal({ ...work, asks: true, next: (nodes) => askShare(ask, nodes) });
      }).catch((error) => {
        if (error instanceof CommandError && error.exitCode === 130)
          throw new CommandError(`Stopped. ${left}`, 130);
        throw error;
      })
    : await unseal({
        ...work,
        asks: false,
        next: await pipedShares("npm run -s unseal   (one share a line)"),
      });
  return await print(outcome);
}

/** A stack of this checkout: its nodes may be joined, too. */
async function ofStack(
  signal: AbortSignal,
  asked: { ask?: (question: string) => Promise<string> },
): Promise<Opened> {
  const open = await openVault(name);
  const { road, pods, target, resources } = open;
  const keys = await heldByPeople(name, target.stackDir);
  const store = await road.storeOf("vault-0", signal).catch(() => undefined);
  refuseUnknownStore(keys, store, {
    stack: name,
    pinned: pulumiView(resources, pods).pinned.stores["vault-0"],
    giveUp: readStackFile(name).settings.vault.giveUp,
  });
  const vaults = pods.map((pod) => new Vault(road, pod, { signal }));
  const token = async () => {
    const known = (await vaultKeys(open))?.rootToken;
    if (known !== undefined || asked.ask === undefined) return known;
    const given = await asked.ask(
      "Root token, as its holder has decrypted it (it is not shown; Enter: later): ",
    );
    if (given === "") return undefined;
    const rotating = { ...target, stack: name, road, pods, say, signal, timeoutSeconds: 30 };
    await makeToken(given, rotating, { backup: readStackFile(name).settings.backup !== undefined });
    say("The stack has a token of its own now; the root token is forgotten.");
    return (await vaultKeys(open))?.rootToken;
  };
  return {
    vaults,
    called: name,
    more: { raising: new Raising({ target, road, resources }, { say, signal }), token },
  };
}

async function ofPlace(signal: AbortSignal): Promise<Opened> {
  const { vaults } = await placeOf(flags, signal);
  return { vaults, called: "<name>" };
}

/** Nothing that a share could do. */
function refuseUnready(nodes: readonly NodeSeen[]): void {
  const lines = nodes.map((node) => `  ${nodeLine(node)}`).join("\n");
  if (nodes.every(({ state }) => state === "silent"))
    throw new CommandError(
      `No node answers; no share was sent.\n${lines}\nNext: npm run doctor -- --stack ${name}`,
    );
  if (nodes.every(({ state }) => state === "blank" || state === "silent"))
    throw new CommandError(
      `Vault is not initialised, so there is nothing to unseal.\n${lines}\nNext: npm run up -- --stack ${name}`,
    );
}

async function askShare(
  ask: (question: string) => Promise<string>,
  nodes: readonly NodeSeen[],
): Promise<string> {
  // None is sealed: one that is about to join will be.
  const count = wanted(nodes) || Math.max(...nodes.map(({ threshold }) => threshold));
  for (;;) {
    const share = await ask(
      `A share, as its holder has decrypted it (${count} more ${count === 1 ? "is" : "are"} wanted; it is not shown): `,
    );
    if (/^[A-Za-z0-9+/]{20,}={0,2}$/.test(share)) return share;
    if (share !== "") say("That is no share: one is 66 characters of 0-9 and a-f, or 44 of base64.");
  }
}

async function cancel({ vaults }: Opened): Promise<never> {
  const forgot: { node: string; shares: number }[] = [];
  for (const vault of vaults) {
    const status = await vault.sealStatus().catch(() => undefined);
    if (!status?.sealed || status.progress === 0) continue;
    await vault.resetUnseal();
    forgot.push({ node: vault.node, shares: status.progress });
  }
  const lines = forgot.map(
    ({ node, shares }) => `${node} has forgotten ${shares === 1 ? "1 share" : `${shares} shares`}.\n`,
  );
  const text = lines.join("") || "No node had been given a share.\n";
  return await printAndExit(flags.json ? `${JSON.stringify({ forgot }, null, 2)}\n` : text, 0);
}

async function print({ nodes, wanted, good }: Unsealed): Promise<never> {
  const next =
    wanted > 0
      ? `${wanted} more ${wanted === 1 ? "share is" : "shares are"} wanted. Each holder: ${flags.kubeconfig === undefined ? `npm run unseal -- --stack ${name}` : "the same command"}`
      : `Nothing is sealed.${flags.kubeconfig === undefined ? ` Next: npm run up -- --stack ${name}` : ""}`;
  const text = `${nodes.map((node) => `${nodeLine(node)}\n`).join("")}${next}\n`;
  return await printAndExit(
    flags.json ? `${JSON.stringify({ nodes, wanted, good }, null, 2)}\n` : text,
    good ? 0 : 1,
  );
}

function say(line: string): void {
  console.error(line);
}

function refuseMistakes(): void {
  const problems = [
    ...(flags.stay !== undefined && !(Number.isInteger(stay) && stay >= 1 && stay <= 720)
      ? [`--stay takes a whole number of minutes from 1 to 720, found "${flags.stay}"`]
      : []),
    ...(flags.kubeconfig !== undefined && flags.stack !== undefined
      ? ["--kubeconfig is for a machine without the stack: leave --stack out"]
      : []),
    ...(["namespace", "authority"] as const)
      .filter((flag) => flags[flag] !== undefined && flags.kubeconfig === undefined)
      .map((flag) => `--${flag} goes with --kubeconfig`),
    ...(flags.cancel && flags.stay !== undefined ? ["--cancel stands alone"] : []),
  ];
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  console.error("See: npm run unseal -- --help");
  process.exit(2);
}
