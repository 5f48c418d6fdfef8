/** What a piece of code in the documents is: a command, or something else that is known as what it is. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { settingList } from "../../settings/list.ts";
import type { Setting } from "../../settings/rule.ts";
import { checkout } from "../../setup/folders.ts";
import { foreignWords } from "./documented-commands.ts";
import { type Block, type Code, codeBlocks, type Document, filesOf, inlineCode } from "./documents.ts";

/** Commands; and what is neither a command nor known as something else, followed by what is wrong with it. */
export interface Sorted {
  commands: Code[];
  unknown: Code[];
}

/** Programs and words of the shell that a command begins with. One that is not here makes a test fail, not a gap. */
const programs =
  "apt apt-get bash brew cat cd chmod chown cp curl docker echo eval export git go gpg grep helm jq kind kubectl ls make mkdir mv node npm npx openssl ps pulumi redis-cli rm sh sudo tar vault wget";
const commandForm = new RegExp(`^(?:[A-Z_]+=\\S* )*(?:${programs.replaceAll(" ", "|")}) \\S`);

/** A program's name alone is none. */
const isCommand = (text: string): boolean => commandForm.test(text);

/** A command as it is the same for every stack: without `--stack <name>`, and with `<stack>` in a file's place. */
export function asOfAnyStack(command: string): string {
  return command
    .replaceAll(/ --stack \S+/g, "")
    .replaceAll(
      /((?:\.local\/stacks\/|--confirm |vault-ha\/stack=|^pulumi stack init ))[\w<>-]+/g,
      "$1<stack>",
    )
    .replace(/ --(?= \||$)/, "");
}

/** All code of a document. */
export function sortCode(document: Document): Sorted {
  const sorted: Sorted = { commands: [], unknown: [] };
  for (const code of inlineCode(document)) {
    if (isCommand(code.text)) sorted.commands.push(code);
    else doubt(code, problemOf(code.text, dirname(document.path)));
  }
  for (const block of codeBlocks(document)) sortBlock(block);
  return sorted;

  function doubt({ text, place }: Code, problem: string | undefined): void {
    if (problem) sorted.unknown.push({ text: `${text}: ${problem}`, place });
  }

  /**
   * A block is a transcript (`$ ` stands before what was typed) or what its fence says; else each of its paragraphs is
   * commands, one a line, or YAML, or a picture.
   */
  function sortBlock({ lines, language }: Block): void {
    const typed = lines.map(({ text, place }) => ({ text: text.trim().replace(/^\$ /, ""), place }));
    sorted.commands.push(...typed.filter(({ text }) => isCommand(text)));
    const isShell = ["", "sh", "bash", undefined].includes(language);
    if (!isShell || lines.some(({ text }) => text.startsWith("$ "))) return;
    for (const paragraph of paragraphsOf(lines)) {
      const hasCommand = paragraph.some(({ text }) => isCommand(text));
      if (!hasCommand && (isYaml(paragraph) || isPicture(paragraph))) continue;
      for (const line of paragraph)
        if (!isCommand(line.text)) doubt(line, "no command of a known program, no YAML, no picture");
    }
  }
}

function paragraphsOf(lines: Code[]): Code[][] {
  const paragraphs: Code[][] = [[]];
  for (const line of lines)
    if (line.text === "") paragraphs.push([]);
    else paragraphs.at(-1)?.push(line);
  return paragraphs.filter(({ length }) => length > 0);
}

function isYaml(paragraph: Code[]): boolean {
  try {
    const read: unknown = parse(paragraph.map(({ text }) => text).join("\n"));
    return typeof read === "object" && read !== null && Object.keys(read).every((key) => !key.includes(" "));
  } catch {
    return false;
  }
}

const isPicture = (paragraph: Code[]): boolean => paragraph.some(({ text }) => /[─│└┘]|->/.test(text));

/** What is wrong with code that is no command; undefined where it is known as something. */
function problemOf(text: string, folder: string): string | undefined {
  const [, key = "", value] = /^([a-z]+(?:\.\w+)+)(?:(?:: | )"?([^" ]*)"?)?$/.exec(text) ?? [];
  if (isSettingsName(key)) return settingProblem(key, value);
  if (!text.includes(" ")) return fileProblem(text, folder);
  const isFlag = /^--[a-z-]+ \S+$/.test(text);
  const isEntry = /^[\w.-]+: \S+$/.test(text);
  if (isFlag || isEntry || text in foreignWords || isQuoted(text)) return undefined;
  return "no command of a known program, no setting, no flag with its value, and nothing that a file here says";
}

const groups = new Set(Object.keys(settingList).map((key) => key.split(".")[0] ?? ""));

/** Whether it is meant for a setting's key. Hosts and files can begin as settings do. */
const isSettingsName = (key: string): boolean =>
  groups.has(key.split(".")[0] ?? "") && !/\.(localhost|svc|ts|go|yaml|com)$/.test(key);

/** Why a setting, or a value for it, is none; undefined where it is one. */
export function settingProblem(key: string, value?: string): string | undefined {
  const setting = (settingList as Record<string, Setting>)[key];
  if (setting === undefined) return `there is no setting ${key}`;
  // In quotes, as a shell wants a value with spaces or stars.
  const given = value?.replace(/^(["'])(.*)\1$/, "$2");
  if (given === undefined || setting.schema.safeParse(given).success) return undefined;
  return `the setting ${key} does not take ${value}`;
}

/** A path that begins with a folder of this repository leads to something in it. */
function fileProblem(text: string, folder: string): string | undefined {
  const [first = "", ...rest] = text.split("/");
  const begins = [folder, "."].filter((at) => /^\w/.test(first) && existsSync(join(checkout, at, first)));
  if (rest.length === 0 || begins.length === 0) return undefined;
  return begins.some((at) => existsSync(join(checkout, at, text))) ? undefined : "there is no such file";
}

let sources: string | undefined;

/** Whether a program or file of this project says so. A number, a name with dots, `dev` and `...` stand for any text. */
function isQuoted(text: string): boolean {
  sources ??= filesOf("*.ts", "*.yaml", "*.go")
    .filter((file) => !/^(test|docs)\//.test(file))
    .map((file) => readFileSync(join(checkout, file), "utf8").replaceAll(/\$\{[^}]*\}/g, "…"))
    .join("\n");
  return (
    sources.includes(text) || sources.includes(text.replaceAll(/\b\d+\b|\bdev\b|\.\.\.|(\w+\.)+\w+/g, "…"))
  );
}
