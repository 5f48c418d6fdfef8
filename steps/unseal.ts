import { z } from "zod";
import { NotYet, StepError, Unreachable } from "./lib/errors.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import { readKeys, writeKeys } from "./lib/keys-file.ts";
import { previousAnswer } from "./lib/previous-answer.ts";
import { openRoad } from "./lib/reach.ts";
import { giveUpCommand, kubectl, Target, upAgain } from "./lib/target.ts";
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

/** What unseal answers: it pins the id of the Vault that the node belongs to, and the store it runs on. */
const Answer = z.object({ pod: z.string(), clusterId: z.string().optional(), store: z.string().optional() });
type Answer = z.output<typeof Answer>;

/** Unseals a node: sends shares up to the threshold, and no more, then waits until it says that it is unsealed. */
await runStep("unseal", Input, async (input, step) => {
  const { pod } = input;
  const before = previousAnswer(Answer);
  const road = await openRoad(input);
  const vault = new Vault(road, pod, step);
  const unsealed = await unseal(vault, input, step);
  const store = await until(`the store of ${pod}`, () => road.storeOf(pod, step.signal), step);
  const answer: Answer = { pod, clusterId: unsealed.cluster_id, store };
  if (before !== undefined) refuseAnother(before, answer, input);
  await recordCustody(answer, input);
  return answer;
});

async function unseal(vault: Vault, input: Input, step: Step): Promise<SealStatus> {
  const { pod } = input;
  const status = await until(`${pod} to answer`, () => vault.sealStatus(), step, kubectl(input, "get pods"));
  if (status.initialized && !status.sealed) {
    step.say("already unsealed");
    return status;
  }
  if (!status.initialized) {
    throw new StepError(
      `${pod} is not initialised, so there is nothing to unseal: it must join first. The node was started again since its join`,
      upAgain(input),
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
  return unsealed;
}

/** The same store with another Vault in it: somebody has put something else in its place. */
function refuseAnother(before: Answer, now: Answer, input: Input): void {
  const { pod, clusterId: known, store } = before;
  const found = now.clusterId;
  if (known === undefined || found === undefined || known === found) return;
  // Another store was judged by the identity step, and that all nodes are of one Vault is judged by verify.
  if (store !== now.store || input.giveUp.includes(known)) return;
  throw new StepError(
    `${pod} belongs to another Vault than the stack knows. Known cluster id: ${known}; found: ${found}, on the same store (${store ?? "not named"}). A forced restore of another cluster's snapshot does that. Restore a snapshot of ${known}, or go on with what is there and give the known one up`,
    giveUpCommand(input, [known]),
  );
}

/** Notes in the journal that the shares which went through Pulumi's state open the store that they were made for. */
async function recordCustody({ pod, clusterId, store }: Answer, { stackDir }: Input): Promise<void> {
  const keys = await readKeys(stackDir);
  if (keys?.answer === undefined || keys.pod !== pod || keys.pvcUid !== store || clusterId === undefined)
    return;
  if (keys.custody?.clusterId === clusterId) return;
  await writeKeys(stackDir, { ...keys, custody: { clusterId, provedAt: new Date().toISOString() } });
}

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
