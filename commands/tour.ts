// npm run tour: a first taste of Vault's API, each step as curl and as vault would do it.
import { openTour } from "../operate/tour/open-tour.ts";
import { type Through, ways } from "../operate/tour/place.ts";
import type { Told } from "../operate/tour/take-step.ts";
import { headText, stepText } from "../operate/tour/text.ts";
import { takeTour } from "../operate/tour/tour.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, printAndExit, runCommand, stopOnInterrupt } from "../setup/command.ts";
import { takeStackLock } from "../steps/lib/stack-lock.ts";
import { within } from "../steps/lib/wait.ts";

/** How long it waits for a step, or another tour, that works on the stack, in seconds. */
const lockSeconds = 30;

const command = "npm run tour";
const { flags } = argumentsOrExit({
  command,
  says: [
    "A first taste of Vault's API: keys and values, policies, tokens, wrapping, encryption. Shows for each step what it",
    "does, the line for curl, the line for vault, and what came back, with secrets masked. It removes what it makes.",
  ].join("\n"),
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    through: {
      says: "the way in: the port of Vault's own service (the default), or the ingress",
      value: "way",
      choices: ways,
    },
    json: { says: "the steps as a JSON array on standard output" },
  },
});

await runCommand(command, tour, { stops: true });

async function tour(): Promise<never> {
  const name = String(flags.stack ?? "dev");
  const stop = stopOnInterrupt({
    stopping: "what was made is removed first.",
    left: "Left at once. What the tour has made, the next one removes.",
  });
  // As `npm run tour | head` does.
  process.stdout.on("error", () => stop.abort(new CommandError("Stopped, as nobody reads on.")));
  const { signal } = stop;
  const { stack, toured } = await openTour(name, (flags.through ?? "port") as Through);
  await takeStackLock(stack.dir, "tour", within({ say, signal }, lockSeconds));
  const all: Told[] = [];
  if (!flags.json) process.stdout.write(`${headText(name, toured.place)}\n`);
  const tell = (step: Told, number: number, of: number) => {
    all.push(step);
    if (!flags.json) process.stdout.write(stepText(step, number, of));
  };
  try {
    await takeTour(toured, { tell, say, signal });
  } finally {
    if (flags.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  }
  // A connection may stay open for a while.
  return printAndExit("", 0);
}

function say(line: string): void {
  console.error(line);
}
