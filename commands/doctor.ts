// npm run doctor: looks at a stack from the ground up and says what is wrong, why, and what to type. Changes nothing.
import { diagnose, exitCodeOf } from "../operate/doctor/diagnosis.ts";
import { gatherEvidence } from "../operate/doctor/evidence/gather.ts";
import { surroundingsOf } from "../operate/doctor/surroundings.ts";
import { diagnosisText } from "../operate/doctor/text.ts";
import { openSubject } from "../operate/views/subject.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { lookFailed, printAndExit, runCommand } from "../setup/command.ts";

const { flags } = argumentsOrExit(
  {
    command: "npm run doctor",
    says: "Looks at a stack from the ground up, and says of everything that is wrong: the evidence, what it means,\nand the commands that come next. Root causes come first. It changes nothing.\nExit code: 0 nothing found, 1 something found or not looked at, 3 could not look (wrong usage, no such stack).",
    flags: {
      stack: { says: "another stack than dev", value: "name" },
      json: { says: "everything as a JSON object on standard output, without secrets" },
    },
  },
  lookFailed,
);

await runCommand(
  "npm run doctor",
  async () => {
    const subject = await openSubject(String(flags.stack ?? "dev"));
    const diagnosis = diagnose(await gatherEvidence(subject, surroundingsOf(subject)));
    const text = flags.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : diagnosisText(diagnosis);
    await printAndExit(text, exitCodeOf(diagnosis));
  },
  { failed: lookFailed },
);
