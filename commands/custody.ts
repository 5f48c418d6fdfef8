// npm run custody: what the holders of the shares are given, and whether they can still read it.
import { join, relative } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { askUnseen } from "../operate/ask-unseen.ts";
import { answerDrill, beginDrill } from "../operate/custody/drill.ts";
import { handOut } from "../operate/custody/hand-out.ts";
import { heldByPeople } from "../operate/custody/held.ts";
import { everyHolder } from "../operate/custody/record.ts";
import { makeToken } from "../operate/custody/token.ts";
import { openRotating } from "../operate/rotation/open.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand } from "../setup/command.ts";
import { checkout, local } from "../setup/folders.ts";

const { flags, words } = argumentsOrExit({
  command: "npm run custody",
  says: [
    "For a stack whose shares people hold (custody.mode pgp). Nothing that is written or printed opens anything.",
    "shares: writes for each holder the share that Vault has encrypted, into the stack's folder.",
    "token: takes the root token, decrypted by its holder, has it make a token of least privilege for the stack, and",
    "forgets it: gpg --decrypt root-token.asc | npm run -s custody token -- --stack <name>",
    "drill: writes a fresh challenge for each holder, to see that each can still decrypt.",
    "answer: takes what they have decrypted, one a line, and notes who has proved it: gpg --decrypt drill.asc",
  ].join("\n"),
  words: { name: "what", says: "what is done", choices: ["shares", "token", "drill", "answer"] },
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    json: { says: "what it came to as a JSON object on standard output" },
  },
});
const [what] = words;
const name = String(flags.stack ?? "dev");
if (what === undefined || words.length > 1) {
  console.error(
    what === undefined
      ? "say what is done: shares, token, drill or answer"
      : `one at a time, found ${words.join(", ")}`,
  );
  console.error("See: npm run custody -- --help");
  process.exit(2);
}
const stackDir = relative(checkout, join(local.stacks, name));
const works: Record<string, () => Promise<never>> = { shares, token, drill, answer };

await runCommand(`npm run custody ${what}`, works[what] ?? drill);

async function shares(): Promise<never> {
  const { pgp } = await heldByPeople(name, stackDir);
  const written = await handOut(pgp, everyHolder(pgp), stackDir);
  const lines = written.flatMap(({ name, fingerprint, files }) => [
    `${name} (${fingerprint})`,
    ...files.map((file) => `  ${file}`),
  ]);
  return await print(
    written,
    `${lines.join("\n")}\nGive each holder their own. It takes their private key to read it.\n`,
  );
}

async function token(): Promise<never> {
  await heldByPeople(name, stackDir);
  const [given] = await secrets("Root token, as its holder has decrypted it (it is not shown): ", "a token");
  const rotating = await openRotating(name, undefined);
  const made = await makeToken(given ?? "", rotating, {
    backup: readStackFile(name).settings.backup !== undefined,
  });
  return await print(
    made,
    `The stack has a token of its own (policy ${made.policy}), and the root token is forgotten.\nNext: npm run up -- --stack ${name}\n`,
  );
}

async function drill(): Promise<never> {
  const { pgp } = await heldByPeople(name, stackDir);
  const begun = await beginDrill(pgp, stackDir);
  const lines = begun.map(
    ({ name, file, problem }) =>
      `${name}: ${file ?? `nothing can be encrypted to this key any more: ${problem}`}`,
  );
  const next = `Each holder decrypts theirs and gives back what it says:\n  gpg --decrypt drill.asc\n  npm run custody answer -- --stack ${name}\n`;
  return await print({ challenges: begun }, `${lines.join("\n")}\n${next}`);
}

async function answer(): Promise<never> {
  const { pgp } = await heldByPeople(name, stackDir);
  const lines = await secrets("What drill.asc decrypts to (it is not shown): ", "an answer");
  const { proved, waiting } = await answerDrill(lines, pgp, stackDir);
  const rest =
    waiting.length === 0
      ? "Nobody is waited for."
      : `Waited for: ${waiting.map(({ name }) => name).join(", ")}.`;
  return await print({ proved, waiting }, `Proved: ${proved.map(({ name }) => name).join(", ")}. ${rest}\n`);
}

/** One line that is asked for at a terminal; else the lines of standard input. */
async function secrets(question: string, what: string): Promise<string[]> {
  const lines = process.stdin.isTTY
    ? [await askUnseen((ask) => ask(question))]
    : (await readAll(process.stdin)).split("\n").map((line) => line.trim());
  const given = lines.filter((line) => line !== "");
  if (given.length > 0) return given;
  throw new CommandError(
    `${what[0]?.toUpperCase()}${what.slice(1)} is wanted on standard input. Nothing was changed.`,
    2,
  );
}

async function print(object: object, text: string): Promise<never> {
  return await printAndExit(flags.json ? `${JSON.stringify(object, null, 2)}\n` : text, 0);
}
