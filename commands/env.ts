// npm run -s env: the tools' environment as shell text, and nothing else on standard output.
import { argumentsOrExit } from "../setup/arguments.ts";
import { exportLines, prepareEnvironment, shellEnvironment } from "../setup/environment.ts";
import { readTools } from "../setup/tools-record.ts";

const { flags } = argumentsOrExit({
  command: "npm run -s env",
  says: 'Prints the environment in which pulumi, kind and kubectl work on this checkout:\n  eval "$(npm run -s env)"',
  flags: { json: { says: "as a JSON object instead" } },
});
prepareEnvironment();
const tools = readTools();
if (!tools) console.error("The tools are not there yet; bring them with: npm run setup");
const env = shellEnvironment(tools?.plugins === "closed");
process.stdout.write(flags.json ? `${JSON.stringify(env, null, 2)}\n` : exportLines(env));
