// npm run down: pulumi destroy, and a look at whether anything is left.
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, endOnInterrupt, runCommand } from "../setup/command.ts";
import { bringEngine, stopEngine } from "../setup/engine.ts";
import { clusterNames, type Held, heldBy, removal, stillHeld } from "../setup/leftovers.ts";
import { Progress } from "../setup/progress.ts";
import { pulumiShown } from "../setup/pulumi.ts";
import { Stack } from "../setup/stack.ts";

const { flags } = argumentsOrExit({
  command: "npm run down",
  says: "Destroys a stack: its cluster, with Vault and all it holds. The stack's settings stay.",
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    all: { says: "stops the Docker engine too, if npm run up had started it and nothing else runs in it" },
  },
});

await runCommand(
  "npm run down",
  async () => {
    const name = String(flags.stack ?? "dev");
    const progress = new Progress(flags.all ? 4 : 3);
    const release = endOnInterrupt("npm run down");
    const stack = new Stack(name);
    await progress.step("Docker engine", bringEngine, (words) => words);
    if (!(await stack.exists())) console.error(`There is no stack ${name}; nothing to destroy.`);
    else {
      stack.unlock(console.error);
      await stack.forgetPending(console.error);
      const held = await heldBy(clusterNames(await stack.resources(), name));
      release();
      await progress.handOver("pulumi destroy", () =>
        pulumiShown(stack.env, ["destroy", "--yes", "--stack", name], "To go on: npm run down"),
      );
      await progress.step(
        "what is left",
        () => nothingLeft(held),
        () => "nothing, in Docker",
      );
    }
    if (flags.all) await progress.step("stop the engine", stopEngine, ({ says }) => says);
  },
  { stops: true },
);

async function nothingLeft(held: Held): Promise<void> {
  const commands = removal(await stillHeld(held));
  if (commands.length === 0) return;
  throw new CommandError(
    `The stack is destroyed, but this is left. Remove it with:\n  ${commands.join("\n  ")}`,
  );
}
