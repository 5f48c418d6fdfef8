import { z } from "zod";
import { removeBackupLogin } from "./lib/backup-login.ts";
import { Unreachable } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { VaultError } from "./lib/vault-error.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  token: z.string().min(1),
});

/**
 * Takes the login of scheduled snapshots away. A Vault that is sealed or does not answer keeps it, and so does one whose
 * root token is revoked; that does not hold up the end of a schedule: without its service account nobody can log in by it.
 */
await runStep("backup-logout", Input, async (input, step) => {
  const [first = ""] = input.pods;
  try {
    const vault = new Vault(await openRoad(input), first, step, input.token);
    await removeBackupLogin(vault, input);
    step.say("the login of scheduled snapshots is taken away");
  } catch (error) {
    const refused = error instanceof VaultError && [403, 503].includes(error.status);
    if (!refused && !(error instanceof Unreachable)) throw error;
    step.say(
      `the login of scheduled snapshots stays in Vault, without use, for its service account goes: ${error.message}`,
    );
  }
  return {};
});
