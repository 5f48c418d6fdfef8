// npm run setup: brings the engine, the tools and the images, and makes nothing else.
import { argumentsOrExit } from "../setup/arguments.ts";
import { networkFlag, runCommand } from "../setup/command.ts";
import { duration, Progress } from "../setup/progress.ts";
import { readNetwork } from "../setup/reach.ts";
import { SETUP_STEPS, setUp } from "../setup/setup.ts";

const { flags } = argumentsOrExit({
  command: "npm run setup",
  says: "Brings what the program needs (a Docker engine, Pulumi, kind, kubectl, plug-ins, images) and makes nothing else.\nA second run finds out within seconds that nothing is to do.",
  flags: { ...networkFlag, json: { says: "what was brought, as a JSON object on standard output" } },
});

await runCommand("npm run setup", async () => {
  const started = Date.now();
  const done = await setUp(new Progress(SETUP_STEPS), readNetwork(flags.network));
  if (flags.json) process.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
  console.error(`Everything is there, ${duration(Date.now() - started)}. Next: npm run up`);
});
