import { z } from "zod";
import { NotYet, StepError, Unreachable } from "./lib/errors.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { kubectl, Target, upAgain } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import type { SealStatus } from "./lib/vault-answers.ts";
import { VaultError } from "./lib/vault-error.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  shares: z.array(z.string().min(1)).min(1),
  threshold: z.number().int().min(1),
});
type Input = z.output<typeof Input>;

/** Unseals a node: sends shares up to the threshold, and no more, then waits until it says that it is unsealed. */
await runStep("unseal", Input, async (input, step) => {
  const { pod } = input;
  const vault = new Vault(await openRoad(input), pod, step);
  const status = await until(`${pod} to answer`, () => vault.sealStatus(), step, kubectl(input, "get pods"));
  if (status.initialized && !status.sealed) {
    step.say("already unsealed");
    return answerOf(pod, status);
  }
  if (!status.initialized) {
    throw new StepError(
      `${pod} is not initialised, so there is nothing to unseal: it must join first. Where its join step ran before, the node was started again before it was unsealed, and has to join once more`,
      `${upAgain(input)} --replace '**-join-${pod}'`,
    );
  }
  let sent = false;
  const unsealed = await until(
    `${pod} to be unsealed`,
    async () => {
      const status = await vault.sealStatus();
      if (status.initialized && !status.sealed) return status;
      if (sent) throw new NotYet(sealedWords(pod, status));
      await sendShares(vault, status, input, step);
      sent = true;
      // A node that joins still says sealed for a while.
      return unsealedStatus(vault);
    },
    step,
    upAgain(input),
  );
  step.say("unsealed");
  return answerOf(pod, unsealed);
});

async function sendShares(vault: Vault, status: SealStatus, input: Input, step: Step): Promise<void> {
  const { pod, shares } = input;
  // A node that is joining may not know its threshold yet (0).
  const threshold = status.t > 0 ? status.t : input.threshold;
  if (shares.length < threshold) {
    throw new StepError(
      `${pod} wants ${threshold} shares, and the stack has ${shares.length}. Nothing was sent`,
    );
  }
  if (status.progress > 0) {
    // They may be wrong ones, or of a run that was killed: together with ours they would make no key.
    step.say(`${status.progress} of ${threshold} shares were sent before; beginning again`);
    await vault.resetUnseal();
  }
  for (const [at, share] of shares.slice(0, threshold).entries()) {
    try {
      const { sealed } = await vault.unseal(share);
      if (!sealed) return;
    } catch (error) {
      // Without an answer to the last one the node may be at work on all of them: not to be sent again.
      if (error instanceof Unreachable && at === threshold - 1) return;
      if (error instanceof VaultError && speaksOfWrongShares(error))
        throw await wrongShares(vault, error, input);
      throw error;
    }
  }
}

/**
 * 400 from a node that has data ("invalid key"); from one that joins 500, since it fails on the leader's challenge
 * ("cipher: message authentication failed").
 */
function speaksOfWrongShares({ status, errors }: VaultError): boolean {
  return status === 400 || errors.some((text) => text.includes("message authentication failed"));
}

async function wrongShares(vault: Vault, { message }: VaultError, input: Input): Promise<StepError> {
  await vault.resetUnseal().catch(() => {});
  return new StepError(
    `${message}. The stack's shares do not open ${vault.node}: they belong to another Vault, or the node's store was replaced. It is sealed as before, and no share is left in it`,
    kubectl(input, `logs ${vault.node} --tail 50`),
  );
}

async function unsealedStatus(vault: Vault): Promise<SealStatus> {
  const status = await vault.sealStatus();
  if (status.initialized && !status.sealed) return status;
  throw new NotYet(sealedWords(vault.node, status));
}

function sealedWords(node: string, { initialized, t, progress }: SealStatus): string {
  return `${node} is sealed (initialised: ${initialized}, shares: ${progress} of ${t})`;
}

function answerOf(pod: string, status: SealStatus): object {
  return { pod, sealed: false, clusterId: status.cluster_id };
}
