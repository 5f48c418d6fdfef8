// npm run status: what Pulumi, Kubernetes, Vault and Raft say of each node, side by side.
import { exitCodes, statusOf } from "../operate/status/status.ts";
import { statusText } from "../operate/status/text.ts";
import { openSubject } from "../operate/views/subject.ts";
import { gatherViews } from "../operate/views/views.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { lookFailed, printAndExit, runCommand } from "../setup/command.ts";

const { flags } = argumentsOrExit(
  {
    command: "npm run status",
    says: "Shows what Pulumi, Kubernetes, Vault and Raft say of each node, and where they do not agree.\nExit code: 0 healthy, 1 degraded, 2 down, 3 could not look (wrong usage, no such stack).",
    flags: {
      stack: { says: "another stack than dev", value: "name" },
      json: { says: "everything as a JSON object on standard output, without secrets" },
    },
  },
  lookFailed,
);

await runCommand(
  "npm run status",
  async () => {
    const subject = await openSubject(String(flags.stack ?? "dev"));
    const status = statusOf(subject, await gatherViews(subject));
    const text = flags.json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status);
    await printAndExit(text, exitCodes[status.verdict]);
  },
  { failed: lookFailed },
);
