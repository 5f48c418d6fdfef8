// npm run preview: what an update would do, in Pulumi's words and in an operator's.
import { gatherPlan } from "../operate/preview/gather.ts";
import { type Judgement, judge } from "../operate/preview/judge.ts";
import { failureMarkdown, judgementMarkdown } from "../operate/preview/markdown.ts";
import { previewData, showPreview } from "../operate/preview/pulumi-preview.ts";
import { judgementText } from "../operate/preview/text.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, lookFailed, printAndExit, runCommand } from "../setup/command.ts";
import { Stack } from "../setup/stack.ts";

const { flags } = argumentsOrExit(
  {
    command: "npm run preview",
    says: [
      "Shows what npm run up would do: Pulumi's own diff, and at the end what comes of it and whether that is safe,",
      "disruptive or destructive. Changes nothing.",
      "Exit code: 0 npm run up would go on, 1 something changes (with --expect-no-changes), 2 npm run up would refuse,",
      "3 no preview could be made (wrong settings or usage, no such stack).",
    ].join("\n"),
    flags: {
      stack: { says: "another stack than dev", value: "name" },
      markdown: {
        says: "the end as Markdown, with Pulumi's diff folded in, for a comment on a pull request",
      },
      json: { says: "the end as a JSON object on standard output" },
      refresh: { says: "looks first at what there is, so that a change by hand shows, too" },
      "expect-no-changes": { says: "for a check that what there is has not drifted from the settings" },
    },
  },
  lookFailed,
);

await runCommand("npm run preview", preview, { failed: lookFailed });

async function preview(): Promise<never> {
  const name = String(flags.stack ?? "dev");
  if (flags.markdown && flags.json) throw new CommandError("--markdown and --json are two forms: name one.");
  const stack = new Stack(name);
  if (!(await stack.exists()))
    throw new CommandError(`There is no stack ${name}. Make it with: npm run up -- --stack ${name}`);
  const more = flags.refresh ? ["--refresh"] : [];
  const shown = await showPreview(stack, more);
  if (shown.failed) {
    if (flags.markdown) return printAndExit(failureMarkdown(name, shown.text), lookFailed);
    throw new CommandError("No preview could be made; Pulumi's words are above. Nothing was changed.");
  }
  const judgement = judge(await gatherPlan(name, await previewData(stack, more)));
  return printAndExit(inForm(judgement, shown.text), exitCode(judgement));
}

function inForm(judgement: Judgement, pulumi: string): string {
  if (flags.json) return `${JSON.stringify(judgement, null, 2)}\n`;
  return flags.markdown ? judgementMarkdown(judgement, pulumi) : judgementText(judgement);
}

function exitCode({ goesOn, changes }: Judgement): number {
  if (!goesOn) return 2;
  return flags["expect-no-changes"] && changes.length > 0 ? 1 : 0;
}
