/** The summary block as Markdown, for a comment on a pull request. */
import type { Judgement } from "./judge.ts";
import { headline } from "./text.ts";

/** GitHub takes comments of up to 65,536 characters; a little is left for what a workflow adds. */
export const commentLimit = 65_000;

/**
 * The block, with Pulumi's own words folded in below. What is too long is cut from these. Whatever comes from settings
 * or from Pulumi stands in code, where it is no Markdown, no HTML and nobody's name.
 * @param pulumi what `pulumi preview --diff` printed, without colours
 */
export function judgementMarkdown(judgement: Judgement, pulumi: string, limit = commentLimit): string {
  const { stack, consequences, unknown, goesOn } = judgement;
  const refused = consequences.flatMap(({ refused }) => refused ?? []);
  const head = [
    marker(stack),
    `### ${headline(judgement)}`,
    "",
    ...consequences.flatMap(({ verdict, says, because }) => [
      `- **${verdict}**: ${escaped(says)}`,
      ...because.map((each) => `  - because: ${code(each)}`),
    ]),
    ...(unknown.length > 0 ? ["", "Not known:", ...unknown.map((each) => `- ${escaped(each)}`)] : []),
    ...(goesOn ? [] : ["", "**`npm run up` refuses this, and changes nothing.**"]),
    ...refused.flatMap(({ why, next }) => ["", escaped(why), "", fenced(next.join("\n"))]),
    "",
  ].join("\n");
  return head + folded("Pulumi's own diff", pulumi, limit - head.length);
}

/** For a preview that could not be made: Pulumi's words, in which the program says why. */
export function failureMarkdown(stack: string, pulumi: string, limit = commentLimit): string {
  const head = `${marker(stack)}\n### Preview of stack ${stack}: could not be made.\n`;
  return `${head}\n${fenced(cut(pulumi, limit - head.length - 100, "end"))}\n`;
}

/** Marks the one comment of a stack, so that a workflow finds it again. GitHub does not show it. */
export const marker = (stack: string): string => `<!-- vault-ha preview of ${stack} -->`;

function folded(title: string, text: string, room: number): string {
  const frame = `\n<details><summary>${title}</summary>\n\n\n\n</details>\n`;
  // The fence, and the line that says what was cut, take their room, too.
  const left = room - frame.length - 200;
  return `\n<details><summary>${title}</summary>\n\n${fenced(cut(text, left, "begin"))}\n\n</details>\n`;
}

/** The begin or the end of a text that is too long, in whole lines. */
function cut(text: string, room: number, keep: "begin" | "end"): string {
  const all = text.trim();
  if (all.length <= room) return all;
  const lines = all.split("\n");
  const total = lines.length;
  while (lines.length > 0 && lines.join("\n").length > room) {
    const many = Math.max(1, Math.floor(lines.length / 20));
    if (keep === "begin") lines.splice(-many);
    else lines.splice(0, many);
  }
  const note = `... ${total - lines.length} of ${total} lines are left out here; the workflow's log has them all`;
  return (keep === "begin" ? [...lines, note] : [note, ...lines]).join("\n");
}

/** A block of code whose fence is longer than any run of backticks in it. */
function fenced(text: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}\n${text}\n${fence}`;
}

function code(text: string): string {
  const oneLine = text.replace(/\s+/g, " ");
  const tick = "`".repeat(longestRun(oneLine) + 1);
  const pad = /^`|`$/.test(oneLine) ? " " : "";
  return `${tick}${pad}${oneLine}${pad}${tick}`;
}

const longestRun = (text: string) => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/** Text in which nothing is Markdown, HTML or a mention. */
const escaped = (text: string) =>
  text
    .replace(/[\\`*_[\]|#~]/g, (sign) => `\\${sign}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("@", "&#64;");
