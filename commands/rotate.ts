// npm run rotate: has Vault encrypt with a new key what it stores from now on.
import { openRotating } from "../operate/rotation/open.ts";
import { rotate } from "../operate/rotation/rotate.ts";
import { heldToken } from "../operate/rotation/rotating.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { printAndExit, runCommand } from "../setup/command.ts";

const { flags } = argumentsOrExit({
  command: "npm run rotate",
  says: [
    "Has Vault make a new key, with which it encrypts what it stores from now on. What is stored already stays readable,",
    "the key shares stay as they are, and nobody is interrupted.",
  ].join("\n"),
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    "dry-run": { says: "shows the key's term, and changes nothing" },
    json: { says: "the terms as a JSON object on standard output" },
  },
});
const name = String(flags.stack ?? "dev");

await runCommand("npm run rotate", async () => {
  const change = flags["dry-run"] !== true;
  const rotating = await openRotating(name, change ? "rotate" : undefined);
  const { before, after } = await rotate(await heldToken(rotating), rotating, change);
  const since = `term ${before.term}, since ${before.installedAt}`;
  const text = change
    ? `Before: ${since}. Now: term ${after.term}, since ${after.installedAt}.\n`
    : `Now: ${since}. It would become term ${before.term + 1}. Nothing was changed.\n`;
  return await printAndExit(flags.json ? `${JSON.stringify({ before, after }, null, 2)}\n` : text, 0);
});
