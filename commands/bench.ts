// npm run bench: the figures of docs/benchmarks.md, taken anew in one run.
import { benchCold } from "../bench/cold.ts";
import { machine } from "../bench/machine.ts";
import { benchRestore } from "../bench/restore.ts";
import { table } from "../bench/timing.ts";
import { benchStack } from "../bench/up.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, networkFlag, runCommand } from "../setup/command.ts";
import { toolEnvironment } from "../setup/environment.ts";
import { Progress } from "../setup/progress.ts";
import { readNetwork } from "../setup/reach.ts";
import { SETUP_STEPS, setUp } from "../setup/setup.ts";

const { flags, words } = argumentsOrExit({
  command: "npm run bench",
  says: [
    "Takes the figures of docs/benchmarks.md in one run and prints them as a Markdown table.",
    "  stack: a stack raised, previewed and taken down, against kind alone, the tutorial and an empty program",
    "  restore: a rehearsed restore of 10,000 secrets, from the pod that runs until each was read",
    "  cold:  the set-up in a fresh clone on an empty cache (about half an hour on a closed network)",
  ].join("\n"),
  words: { name: "part", says: "parts (default: stack)", choices: ["stack", "restore", "cold"] },
  flags: {
    ...networkFlag,
    rounds: { says: "how often each figure of `stack` and `restore` is taken (default 3)", value: "number" },
  },
});

await runCommand("npm run bench", async () => {
  const rounds = Number(flags.rounds ?? 3);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new CommandError(`--rounds takes a whole number from 1, found "${flags.rounds}"`, 2);
  const say = (line: string) => console.error(line);
  const wanted = words.length > 0 ? words : ["stack"];
  const { tools } = await setUp(new Progress(SETUP_STEPS), readNetwork(flags.network));
  Object.assign(process.env, toolEnvironment(tools.plugins === "closed"));

  const figures = [];
  if (wanted.includes("stack")) figures.push(...(await benchStack(rounds, say)));
  if (wanted.includes("restore")) figures.push(...(await benchRestore(rounds, say)));
  if (wanted.includes("cold")) figures.push(...(await benchCold(say)));
  const date = new Date().toISOString().slice(0, 10);
  console.log(`${date} · ${await machine()} · images: ${tools.images}\n\n${table(figures)}`);
});
