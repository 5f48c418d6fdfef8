/** The documents of this project, and the code that stands in them: in backticks and in code blocks. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../setup/folders.ts";

/** A piece of code, or a line or paragraph of it, and where it stands. */
export interface Code {
  text: string;
  /** As `docs/tls.md:7`. */
  place: string;
}

export interface Document {
  /** Its path in the checkout. */
  path: string;
  /** Each line as Markdown; of a YAML file what its comments say, and an empty line for all else. */
  lines: string[];
}

/** Files of this repository under these paths. */
export function filesOf(...paths: string[]): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...paths], {
    cwd: checkout,
    encoding: "utf8",
  });
  return listed.split("\n").filter(Boolean);
}

/** What people read to use this: README, docs, the closed network's README, and the examples' comments. */
export function readDocuments(): Document[] {
  const stacks = ["dev", "ci", "prod"].map((stack) => `Pulumi.${stack}.yaml`);
  return filesOf("README.md", "docs/*.md", "offline/README.md", "examples/*.yaml", ...stacks).map((path) => {
    const lines = readFileSync(join(checkout, path), "utf8").split("\n");
    return { path, lines: path.endsWith(".yaml") ? lines.map(commentOf) : lines };
  });
}

/** A comment's words; what is set in by two is a code block, as the examples have it. */
const commentOf = (line: string): string =>
  (/^\s*# ?(.*)$/.exec(line)?.[1] ?? "").replace(/^ {2}(?=\S)/, "    ").replace(/^ {4,}/, "    ");

/** What stands in backticks, also where it goes on in the next line, and in the comments of code blocks. */
export function inlineCode({ path, lines }: Document): Code[] {
  const paragraphs: { begin: number; text: string }[] = [];
  let goesOn = false;
  eachLine(lines, (line, at, inBlock) => {
    const text = inBlock ? (/(?:^|\s)#\s(.*)$/.exec(line)?.[1] ?? "") : line;
    const last = paragraphs.at(-1);
    if (goesOn && !inBlock && last) last.text += `\n${text}`;
    else paragraphs.push({ begin: at + 1, text });
    goesOn = !inBlock && text.trim() !== "";
  });
  return paragraphs.flatMap(({ begin, text }) =>
    [...text.matchAll(/(`+)([^`]+)\1/g)].map(({ 2: code = "", index }) => ({
      text: code.replaceAll(/\s+/g, " ").trim(),
      place: `${path}:${begin + text.slice(0, index).split("\n").length - 1}`,
    })),
  );
}

/** What is no code block, as Markdown. */
export function proseOf({ lines }: Document): string {
  const prose: string[] = [];
  eachLine(lines, (line, _, inBlock) => void (inBlock || prose.push(line)));
  return prose.join("\n");
}

/** A code block: its lines set out, without comments; a line that ends with a backslash goes on in the next. */
export interface Block {
  lines: Code[];
  /** What a fence says it is; undefined for a block that is set in. */
  language: string | undefined;
}

export function codeBlocks({ path, lines }: Document): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  eachLine(lines, (line, at, inBlock, language) => {
    if (!inBlock) {
      open = undefined;
      return;
    }
    if (open === undefined) {
      open = { lines: [], language };
      blocks.push(open);
    }
    const text = line
      .replace(language === undefined ? /^ {4}/ : "", "")
      .replace(/(^|\s+)#\s.*$/, "")
      .trimEnd();
    const last = open.lines.at(-1);
    if (last?.text.endsWith("\\")) last.text = `${last.text.slice(0, -1).trimEnd()} ${text.trim()}`;
    else open.lines.push({ text, place: `${path}:${at + 1}` });
  });
  return blocks;
}

/** Goes through a document, fences left out: each line, its number from 0, and whether it is one of a code block. */
function eachLine(
  lines: string[],
  see: (line: string, at: number, inBlock: boolean, language: string | undefined) => void,
): void {
  let fence: { mark: string; language: string } | undefined;
  let setIn = false;
  lines.forEach((line, at) => {
    const mark = /^\s*(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence !== undefined) {
      if (mark?.[1] === fence.mark) fence = undefined;
      else see(line, at, true, fence.language);
      return;
    }
    if (mark) {
      fence = { mark: mark[1] ?? "", language: (mark[2] ?? "").trim() };
      // Two fences in a row are two blocks.
      see("", at, false, undefined);
      return;
    }
    const blank = line.trim() === "";
    const afterBlank = at === 0 || lines[at - 1]?.trim() === "";
    setIn = blank ? setIn && goesOn(lines, at) : line.startsWith("    ") && (setIn || afterBlank);
    see(line, at, setIn, undefined);
  });
}

/** Whether a blank line lies within a code block: the next line that says something is set in, too. */
function goesOn(lines: string[], at: number): boolean {
  return (
    lines
      .slice(at)
      .find((line) => line.trim() !== "")
      ?.startsWith("    ") ?? false
  );
}
