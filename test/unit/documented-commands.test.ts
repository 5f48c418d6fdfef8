import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";
import { asOfAnyStack, settingProblem, sortCode } from "../support/code-kinds.ts";
import { tested, untested } from "../support/documented-commands.ts";
import { readDocuments } from "../support/documents.ts";

/** Every command with the places where it stands. */
function readCommands(): { found: Map<string, string[]>; unknown: string[] } {
  const found = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const document of readDocuments()) {
    const sorted = sortCode(document);
    unknown.push(...sorted.unknown.map(({ text, place }) => `${place}: ${text}`));
    for (const { text, place } of sorted.commands) {
      const command = asOfAnyStack(text);
      found.set(command, [...(found.get(command) ?? []), place]);
    }
  }
  return { found, unknown };
}

const fits = (row: string, command: string): boolean =>
  row.endsWith(" …") ? command.startsWith(row.slice(0, -1)) && !command.includes("<") : row === command;

/** A path, where a command takes a file. */
const isFile = (word: string) => /(<snapshot>|\.snap)$/.test(word);
const takesFile = (help: string) => /^npm run .*\[file/.test(help);

describe("the commands of README and docs", () => {
  const { found, unknown } = readCommands();
  const commands = [...found.keys()];
  const rows = [
    ...Object.values(tested).flatMap((row) => Object.keys(row)),
    ...Object.values(untested).flat(),
  ];

  it("are found in blocks, in backticks and in comments, over a line's end", () => {
    const text = [
      "Type `npm run up` or `vault operator",
      "  init`, not `pulumi`.",
      "",
      "    $ npm run status",
      "    node     address",
      "",
      "    kubectl get pods --output json \\",
      "      --watch                        # or `docker ps`",
    ];
    // One block: what a transcript shows is no command.
    const { commands, unknown } = sortCode({ path: "docs/x.md", lines: text });
    assert.deepEqual(unknown, []);
    assert.deepEqual(
      commands.map(({ text, place }) => `${place} ${text}`),
      [
        "docs/x.md:1 npm run up",
        "docs/x.md:1 vault operator init",
        "docs/x.md:8 docker ps",
        "docs/x.md:4 npm run status",
        "docs/x.md:7 kubectl get pods --output json --watch",
      ],
    );
  });

  it("are not missed where they begin with a program that is not known: such code is named", () => {
    const lines = [
      "`frobnicate --all`, `vault.tls.nonesuch`, `vault.replicas many`, `steps/none.ts`",
      "",
      "    frob it",
    ];
    const { commands, unknown } = sortCode({ path: "docs/x.md", lines });
    assert.deepEqual(commands, []);
    assert.deepEqual(
      unknown.map(({ text }) => text.replace(/.*: /, "")),
      [
        "no command of a known program, no setting, no flag with its value, and nothing that a file here says",
        "there is no setting vault.tls.nonesuch",
        "the setting vault.replicas does not take many",
        "there is no such file",
        "no command of a known program, no YAML, no picture",
      ],
    );
  });

  it("stand among nothing that is neither a command nor known as something else", () => {
    assert.deepEqual(unknown, []);
    assert.ok(commands.length > 50, `${commands.length} were found`);
  });

  it("are each run by a test, or have the reason why not", () => {
    const open = commands.filter((command) => !rows.some((row) => fits(row, command)));
    assert.deepEqual(
      open.map((command) => `${command}   (${found.get(command)?.join(", ")})`),
      [],
      "These need a row in test/support/documented-commands.ts",
    );
  });

  it("have no row that stands in no document any more, nor two", () => {
    assert.deepEqual(
      rows.filter((row, at) => !commands.some((command) => fits(row, command)) || rows.indexOf(row) !== at),
      [],
    );
  });

  for (const [file, row] of Object.entries(tested))
    it(`are in what runs them: ${file}`, () => {
      assert.ok(existsSync(file), "there is no such file");
      const text = readFileSync(file, "utf8");
      for (const [command, words] of Object.entries(row))
        assert.ok(text.includes(words || command), `it does not contain: ${words || command}`);
    });

  it("change settings that there are, to values that they take", () => {
    const problems = commands.flatMap((command) => {
      const [, key = "", value] = /^pulumi config (?:set|get|rm) ([^ <]+)(?: ([^<]+))?$/.exec(command) ?? [];
      return key === "" ? [] : (settingProblem(key, value) ?? []);
    });
    assert.deepEqual(problems, []);
  });

  it("are scripts of package.json, with flags, choices and words that these take", async function () {
    this.timeout(60_000);
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    const names = Object.keys(scripts).filter((name) => existsSync(`commands/${name}.ts`));
    const asked = names.map(async (name) => {
      const { stdout } = await execa(process.execPath, [`commands/${name}.ts`, "--help"]);
      return [name, stdout] as const;
    });
    const help: Record<string, string> = Object.fromEntries(await Promise.all(asked));
    assert.ok(Object.keys(help).length > 8);
    const problems = commands.flatMap((command) => {
      const [, name, typed = ""] = /^npm (?:run (?:-s )?)?(\w+)((?: [^|]*)?)/.exec(command) ?? [];
      if (name === undefined || name === "ci") return [];
      if (!(name in scripts)) return [`${command}: there is no script ${name}`];
      const [words = "", flags = ""] = typed.split(/ --(?= )/);
      const wanted = [...flags.matchAll(/--([\w-]+)(?: ([\w<>]+))?/g)];
      const text = help[name] ?? "";
      return [
        ...wanted
          .filter(([, flag, value]) => !new RegExp(`^ +--${flag}${value ? " <.*>" : ""} `, "m").test(text))
          .map(([flag]) => `${command}: it takes no ${flag}`),
        ...(name === "test" ? flags : words)
          .split(" ")
          .filter((word) => word !== "" && !text.includes(word) && !(isFile(word) && takesFile(text)))
          .map((word) => `${command}: it takes no ${word}`),
      ];
    });
    assert.deepEqual(problems, []);
  });
});
