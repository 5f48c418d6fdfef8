import { parseArgs } from "node:util";

/** One flag of a command. */
export interface Flag {
  /** For --help: what it does, in one line. */
  says: string;
  /** Name of its value in --help; a flag without is a switch. */
  value?: string;
  /** The only values it takes. */
  choices?: readonly string[];
}

/** What a command takes on its command line. */
export interface Usage {
  /** As the user types it, without flags: "npm run up". */
  command: string;
  /** What it does: one or more lines. */
  says: string;
  flags: Record<string, Flag>;
  /** Words it takes beside flags, any where it names no choices; without, a word is a mistake. */
  words?: { name: string; says: string; choices?: readonly string[] };
  /** What may follow the first of the words, such as a file's path. */
  after?: { name: string; says: string };
}

/** A command line, read. */
export interface Arguments {
  flags: Record<string, string | true>;
  words: string[];
  help: boolean;
  /** Every mistake, one message each. */
  problems: string[];
}

/** Reads a command line and finds all that is wrong with it, not only the first. */
export function readArguments(usage: Usage, args: string[]): Arguments {
  const flags: Record<string, Flag> = { ...usage.flags, help: { says: "" } };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, { type: flag.value ? "string" : "boolean" } as const]),
  );
  const found: Arguments = { flags: {}, words: [], help: false, problems: [] };
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") readWord(token.value);
    else if (token.kind === "option") readFlag(token.name, token.rawName, token.value);
  }
  return found;

  function readWord(word: string): void {
    const { words, after } = usage;
    const isFree =
      words !== undefined && (words.choices === undefined || (after && found.words.length === 1));
    if (isFree || words?.choices?.includes(word)) found.words.push(word);
    else if (words) found.problems.push(`"${word}" is none of: ${words.choices?.join(", ")}`);
    else found.problems.push(`"${word}": ${usage.command} takes flags only`);
  }

  function readFlag(name: string, typed: string, value: string | undefined): void {
    const flag = flags[name];
    if (!flag) {
      const known = Object.keys(usage.flags).map((each) => `--${each}`);
      found.problems.push(`${typed} is not a flag of ${usage.command}; it has: ${known.join(", ")}`);
    } else if (name === "help") found.help = true;
    else if (!flag.value) {
      if (value !== undefined) found.problems.push(`${typed} takes no value, found "${value}"`);
      found.flags[name] = true;
    } else if (!value || value.startsWith("-")) found.problems.push(`${typed} needs a ${flag.value}`);
    else if (flag.choices && !flag.choices.includes(value)) {
      found.problems.push(`${typed} is one of ${flag.choices.join(", ")}, found "${value}"`);
    } else found.flags[name] = value;
  }
}

/** The text that --help prints. */
export function helpText(usage: Usage): string {
  const rows = Object.entries(usage.flags).map(([name, flag]) => [
    flag.value ? `--${name} <${flag.choices?.join("|") ?? flag.value}>` : `--${name}`,
    flag.says,
  ]);
  const width = Math.max(6, ...rows.map(([left]) => left?.length ?? 0));
  const { words, after } = usage;
  const tail = after ? ` [${after.name}]` : words?.choices ? " ..." : "";
  const named = words ? ` [${words.name}${after ? "]" : ""}${tail}${after ? "" : "]"}` : "";
  return [
    `${usage.command}${named}${rows.length > 0 ? " -- [flags]" : ""}`,
    "",
    usage.says,
    "",
    ...(words ? [`  ${words.says}${words.choices ? `: ${words.choices.join(", ")}` : ""}`] : []),
    ...(after ? [`  ${after.name}: ${after.says}`] : []),
    ...(words ? [""] : []),
    ...[...rows, ["--help", "this text"]].map(([left = "", right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
  ].join("\n");
}

/**
 * Reads this process's command line; prints help (and ends with 0) or what is wrong with it (and ends with `badUsage`).
 */
export function argumentsOrExit(usage: Usage, badUsage = 2): Arguments {
  const found = readArguments(usage, process.argv.slice(2));
  if (found.help) {
    process.stdout.write(helpText(usage));
    process.exit(0);
  }
  if (found.problems.length > 0) {
    for (const problem of found.problems) console.error(problem);
    console.error(`See: ${usage.command} -- --help`);
    process.exit(badUsage);
  }
  return found;
}
