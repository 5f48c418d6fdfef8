// npm run explain: each step of a stack beside the command that one would type by hand.
import { explainedSteps } from "../operate/explain/steps.ts";
import { explainText, placed } from "../operate/explain/text.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { runCommand } from "../setup/command.ts";
import { local } from "../setup/folders.ts";
import { Stack } from "../setup/stack.ts";
import { readTools } from "../setup/tools-record.ts";
import { loadSources } from "../sources.ts";

const { flags } = argumentsOrExit({
  command: "npm run explain",
  says: "Explains each step of a stack: what one would type by hand, as in HashiCorp's tutorial, and what\nthis program does beyond it. Runs none of it; needs no cluster and no tools.",
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    json: { says: "the steps as a JSON object on standard output" },
  },
});

await runCommand("npm run explain", async () => {
  const stack = String(flags.stack ?? "dev");
  const { settings, exists } = readStackFile(stack);
  if (!exists) console.error(`There is no Pulumi.${stack}.yaml, so these are the settings' defaults.`);
  const steps = explainedSteps(stack, settings, loadSources(local.sources));
  const explained = placed(steps, await inState(stack));
  if (flags.json) process.stdout.write(`${JSON.stringify({ stack, settings, steps: explained }, null, 2)}\n`);
  else process.stdout.write(explainText(stack, settings, explained));
});

/** Names of the resources in the stack's state; undefined where there is none to look at. */
async function inState(name: string): Promise<Set<string> | undefined> {
  if (!readTools()) return undefined;
  try {
    const stack = new Stack(name);
    if (!(await stack.exists())) return undefined;
    return new Set((await stack.resources()).map(({ urn }) => urn.split("::").at(-1) ?? ""));
  } catch (error) {
    console.error(`The state was not looked at: ${(error as Error).message}`);
    return undefined;
  }
}
