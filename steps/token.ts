import { z } from "zod";
import { NotYet } from "./lib/errors.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import { readKeys } from "./lib/keys-file.ts";
import { openRoad } from "./lib/reach.ts";
import { Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { VaultError } from "./lib/vault-error.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({ pod: z.string().min(1) });
type Input = z.output<typeof Input>;

/**
 * Where people hold the shares: waits until the root token's holder has had the stack's own token made, and answers with
 * it, so that the state has it and the steps after this one.
 */
await runStep("token", Input, async (input, step) => {
  const { pod, stack } = input;
  const next = `npm run custody token -- --stack ${stack}`;
  const vault = async (token: string) => new Vault(await openRoad(input), pod, step, token);
  const token = await until(
    `the stack's token, which the root token makes: ${next}`,
    () => good(vault, input, step),
    step,
    next,
  );
  step.say("the stack has a token of its own, which may do what its steps need");
  return { token };
});

async function good(
  vault: (token: string) => Promise<Vault>,
  { stackDir }: Input,
  step: Step,
): Promise<string> {
  const token = (await readKeys(stackDir))?.token;
  if (token === undefined) throw new NotYet(`there is none in ${stackDir}`);
  step.hide(token);
  await (await vault(token)).ownPolicies().catch((error) => {
    if (!(error instanceof VaultError) || error.status !== 403) throw error;
    throw new NotYet("Vault does not take the one that there is: it has run out, or was revoked");
  });
  return token;
}
