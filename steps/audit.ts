import { z } from "zod";
import { StepError } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  token: z.string().min(1),
  /** The file that each node writes, on a volume of its own. */
  file: z.string().min(1),
});

/** The path of the audit device in Vault; `vault audit enable file` takes the same. */
const device = "file/";

/**
 * Has Vault write an audit log: one device for the whole cluster, a file at each node. One that is there already is left
 * alone. From then on Vault answers nothing that it cannot write down.
 */
await runStep("audit", Input, async (input, step) => {
  const [first = ""] = input.pods;
  const vault = new Vault(await openRoad(input), first, step, input.token);
  const there = await until(
    "the audit devices",
    () => vault.auditDevices(),
    step,
    kubectl(input, "get pods"),
  );
  const found = there[device];
  if (found === undefined) {
    await vault.enableAuditFile(input.file);
    step.say(`each node writes its audit log to ${input.file}`);
  } else if (found.options.file_path !== input.file) {
    throw new StepError(
      `the audit device ${device} writes to ${found.options.file_path ?? "something that is no file"}, not to ${input.file}. Nothing was changed: somebody has enabled it, and its log may be needed`,
      kubectl(input, `exec -it ${first} -- vault audit list -detailed`),
    );
  } else step.say(`the audit device writes to ${input.file} already`);
  return { file: input.file };
});
