// npm run root: revokes the root token once others can do what it did, and makes one from the shares where it is needed.
import { text as readAll } from "node:stream/consumers";
import { askUnseen } from "../operate/ask-unseen.ts";
import { confirmName } from "../operate/confirm-name.ts";
import { generateRoot } from "../operate/rotation/generate-root.ts";
import { openRotating } from "../operate/rotation/open.ts";
import {
  adminPolicy,
  adminRules,
  policyText,
  stackPolicy,
  stackRules,
} from "../operate/rotation/policies.ts";
import { finishRetiring } from "../operate/rotation/retire.ts";
import { isRoot, revokeRoot } from "../operate/rotation/revoke-root.ts";
import { heldKeys, type Rotating } from "../operate/rotation/rotating.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, holdInterrupt, printAndExit, runCommand } from "../setup/command.ts";
import { VaultError } from "../steps/lib/vault-error.ts";

const { flags, words } = argumentsOrExit({
  command: "npm run root",
  says: [
    "revoke: makes a user who may administer Vault, logs in with it, has that login make a token of least privilege for",
    "the stack, proves both, and then revokes the root token. Its password is asked for, or read from standard input.",
    "generate: makes a root token from the stack's shares, which the stack goes on with.",
    "Either revokes the token of before, and with it every token that was made with it (no orphans). Then: npm run up",
  ].join("\n"),
  words: { name: "what", says: "what is done", choices: ["revoke", "generate"] },
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    user: { says: "revoke: the name of the user who logs in from now on", value: "name" },
    token: {
      says: "generate: a token is read from standard input, where the stack's own is not good any more",
    },
    confirm: { says: "the stack's name once more, where nobody can be asked", value: "name" },
    "dry-run": { says: "says what would be done, with the policies, and changes nothing" },
    json: { says: "what it came to as a JSON object on standard output, without a token" },
  },
});
const [what] = words;
const name = String(flags.stack ?? "dev");
const user = String(flags.user ?? "");
const again = `npm run root ${what} -- --stack ${name}${flags.user ? ` --user ${user}` : ""}${flags.token ? " --token" : ""}`;
refuseMistakes();

await runCommand(`npm run root ${what}`, run, { stops: true });

async function run(): Promise<never> {
  const dry = flags["dry-run"] === true;
  const rotating = await openRotating(name, dry ? undefined : `root ${what}`);
  await heldKeys(rotating);
  // What a run that was cut off has left.
  if (!dry) await finishRetiring(rotating);
  const root = await isRoot(rotating).catch((error) => {
    if (error instanceof VaultError && error.status === 403) return false;
    throw error;
  });
  if (what === "revoke" && !root) return await print({ root }, "The stack has no root token any more.\n");
  if (dry) return await print({ root }, dryText(root));
  const secret = await readSecret();
  if (root)
    await confirmName(name, flags.confirm === undefined ? undefined : String(flags.confirm), {
      because: `The root token of stack ${name} is about to be revoked, and every token that was made with it (no orphans).`,
      to: "To go on",
      undone: "Nothing was changed.",
      command: `${again} --confirm ${name}`,
    });
  const release = holdInterrupt(again);
  try {
    return what === "revoke" ? await revoke(secret, rotating) : await generate(secret, rotating);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${(error as Error).message}\nNext: ${again}`);
  } finally {
    release();
  }
}

async function revoke(password: string, rotating: Rotating): Promise<never> {
  await revokeRoot({ user, password }, rotating);
  const text = `The root token is revoked. ${user} logs in: vault login -method=userpass username=${user}\nBring the stack's token into Pulumi's state: npm run up -- --stack ${name}\n`;
  return await print({ revoked: true, user }, text);
}

async function generate(token: string, rotating: Rotating): Promise<never> {
  const { former } = await generateRoot(rotating, token || undefined);
  const text = `The stack has a root token. Bring it into Pulumi's state: npm run up -- --stack ${name}\nRevoke it when it has done what it is for: npm run root revoke -- --stack ${name} --user <name>\n`;
  return await print({ generated: true, former }, text);
}

/** The password, or the token: asked for at a terminal, else the first line of standard input; "" where none is wanted. */
async function readSecret(): Promise<string> {
  if (what === "generate" && !flags.token) return "";
  const noun = what === "revoke" ? `password of ${user}` : "token";
  const given = process.stdin.isTTY
    ? await askUnseen(async (ask) => {
        const first = await ask(`The ${noun} (it is not shown): `);
        if (what === "revoke" && (await ask("Once more: ")) !== first)
          throw new CommandError("These are two passwords. Nothing was changed.");
        return first;
      })
    : ((await readAll(process.stdin)).split("\n")[0] ?? "").trim();
  if (given !== "") return given;
  throw new CommandError(`A ${noun} is wanted on standard input. Nothing was changed.`, 2);
}

function dryText(root: boolean): string {
  if (what === "generate")
    return `A root token would be made from the shares, and the stack's token of now${root ? ", a root token," : ""} revoked. Nothing was changed.\n`;
  return [
    `User ${user} would be made, with this policy (${adminPolicy}):\n`,
    policyText(adminRules),
    `The stack would go on with a token of this policy (${stackPolicy}):\n`,
    policyText(stackRules),
    "Then the root token would be revoked, and every token that was made with it. Nothing was changed.\n",
  ].join("\n");
}

async function print(object: object, text: string): Promise<never> {
  return await printAndExit(flags.json ? `${JSON.stringify(object, null, 2)}\n` : text, 0);
}

function refuseMistakes(): void {
  const problems = [
    ...(what === undefined ? ["say what is done: revoke or generate"] : []),
    ...(words.length > 1 ? [`one at a time, found ${words.join(", ")}`] : []),
    ...(what === "revoke" && flags.user === undefined
      ? ["revoke wants --user: who logs in from now on"]
      : []),
    ...(what === "revoke" && flags.token ? ["--token is not for revoke"] : []),
    ...(what === "generate" && flags.user !== undefined ? ["--user is not for generate"] : []),
    ...(flags.user !== undefined && !/^[a-z0-9][a-z0-9._-]*$/.test(user)
      ? [`--user takes small letters, digits, ".", "_" and "-", found "${user}"`]
      : []),
  ];
  if (problems.length === 0) return;
  for (const problem of problems) console.error(problem);
  console.error("See: npm run root -- --help");
  process.exit(2);
}
