import type { Consequence } from "./consequence.ts";
import type { Judgement } from "./judge.ts";

/** The summary block, for a terminal. */
export function judgementText(judgement: Judgement): string {
  const { consequences, unknown } = judgement;
  return [
    headline(judgement),
    ...consequences.flatMap(({ verdict, says, because }) => [
      `  ${verdict}: ${says}`,
      ...because.map((each) => `    because: ${each}`),
    ]),
    ...unknown.map((each) => `  not known: ${each}`),
    ...refusalText(consequences),
    "",
  ].join("\n");
}

/** One line: what the update comes to. */
export function headline({ stack, verdict, consequences, changes }: Judgement): string {
  const what = `Preview of stack ${stack}: ${verdict}`;
  if (changes.length > 0) return `${what}.`;
  return `${what}; nothing changes${consequences.length > 0 ? ", but" : "."}`;
}

function refusalText(consequences: readonly Consequence[]): string[] {
  const refused = consequences.flatMap(({ refused }) => refused ?? []);
  if (refused.length === 0) return [];
  return [
    "npm run up refuses this, and changes nothing.",
    ...refused.flatMap(({ why, next }) => [why, ...next.map((line) => `  ${line}`)]),
  ];
}
