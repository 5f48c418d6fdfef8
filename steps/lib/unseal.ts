import { NotYet, StepError, Unreachable } from "./errors.ts";
import { sealedBySeal, unlikeSeal } from "./self-unseal.ts";
import { kubectl, type Target, upAgain } from "./target.ts";
import type { Vault } from "./vault.ts";
import type { SealStatus } from "./vault-answers.ts";
import { VaultError } from "./vault-error.ts";
import { until, type Waiting } from "./wait.ts";

/** What opens a node, and what the messages name. */
export interface Unsealing extends Pick<Target, "stack" | "stackDir" | "reach"> {
  /** What unseals the nodes by itself: they are waited for, and no share is sent. undefined: the shares do. */
  seal?: string | undefined;
  /** Base64 or hexadecimal, as Vault gave them. */
  shares: readonly string[];
  /** People hold the shares (custody.mode pgp): none is sent, and they are waited for. */
  byHolders?: boolean | undefined;
  /** How many shares to send where the node does not know that itself yet. */
  threshold: number;
  /** What names the running process of the node. Without it, one that was started again meanwhile is not noticed. */
  processOf?: (() => Promise<string | undefined>) | undefined;
  /** Vault's last words in a node's log about its seal. Without it, what it waits for is told without them. */
  lastWords?: ((node: string) => Promise<string | undefined>) | undefined;
  /** Has a blank node join again. Without it, a blank node is an error. */
  join?: (() => Promise<unknown>) | undefined;
  /** Takes away a half-joined node's store and starts the node again. Without it, such a node is an error. */
  emptyStore?: (() => Promise<void>) | undefined;
}

/**
 * Unseals a node: sends shares up to the threshold, and no more, then waits until it says that it is unsealed. Where
 * people hold the shares, it waits for them, and says how far they are; with a seal it only waits.
 * @returns its status, unsealed
 * @throws StepError where the node is not initialised, the shares are too few or do not open it, it has another seal
 * than the stack, or at the deadline
 */
export async function unsealNode(vault: Vault, input: Unsealing, step: Waiting): Promise<SealStatus> {
  const pod = vault.node;
  const status = await until(`${pod} to answer`, () => vault.sealStatus(), step, kubectl(input, "get pods"));
  if (status.type !== (input.seal ?? "shamir")) throw unlikeSeal(pod, status, input);
  if (status.initialized && !status.sealed) {
    step.say(input.seal ? `its seal (${input.seal}) has unsealed it` : "already unsealed");
    return status;
  }
  /** The process that was sent the shares. */
  let sent: { process: string | undefined } | undefined;
  const { byHolders } = input;
  if (byHolders) step.say(`is sealed; each holder of a share: ${holdersCommand(input)}`);
  const unsealed = await until(
    byHolders ? `the holders to unseal ${pod}: ${holdersCommand(input)}` : `${pod} to be unsealed`,
    async () => {
      let status = await vault.sealStatus();
      if (status.initialized && !status.sealed) return status;
      if (!status.initialized) {
        await joinOnceMore(vault, input, step);
        sent = undefined;
        status = await vault.sealStatus();
      }
      if (byHolders) throw new NotYet(sealedWords(pod, status));
      if (input.seal !== undefined) throw await sealedBySeal(vault, status, input.lastWords);
      const process = await input.processOf?.();
      // A node that joins is sealed for a while after the last share; one that was started again wants all of them.
      if (sent && sent.process === process) throw new NotYet(sealedWords(pod, status));
      if (sent) step.say("was started again meanwhile: its shares are sent once more");
      await sendShares(vault, status, input, step);
      sent = { process };
      return unsealedStatus(vault);
    },
    step,
    byHolders ? holdersCommand(input) : input.seal ? kubectl(input, `logs ${pod} --tail 20`) : upAgain(input),
  );
  step.say(input.seal ? `its seal (${input.seal}) has unsealed it` : "unsealed");
  return unsealed;
}

/** What each holder of a share types, where people hold them. */
export function holdersCommand({ stack }: Pick<Target, "stack">): string {
  return `npm run unseal -- --stack ${stack}`;
}

async function joinOnceMore({ node }: Vault, input: Unsealing, step: Waiting): Promise<void> {
  if (input.join === undefined) {
    throw new StepError(
      `${node} is not initialised, so there is nothing to unseal, though the stack has keys for it: its store is blank. Bring its volume back, or restore a snapshot. To begin anew, and lose what it held, have it initialised again; init then says whether the stack still knows a store that may hold data`,
      `${upAgain(input)} --replace '**lifecycle-init-${node}'`,
    );
  }
  step.say("is blank: it was started again before its join was complete, so it joins once more");
  await input.join();
}

async function sendShares(vault: Vault, status: SealStatus, input: Unsealing, step: Waiting): Promise<void> {
  const { shares } = input;
  const pod = vault.node;
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
      if (!(error instanceof VaultError)) throw error;
      if (speaksOfWrongShares(error)) throw await wrongShares(vault, error, input);
      if (says(error, "already has state")) throw await emptied(error, vault, input, step);
      // The leader's challenge is good for one answer, and that one came to nothing.
      if (says(error, "no expected answer") && input.join !== undefined) await input.join();
      throw error;
    }
  }
}

/**
 * A node that ended while it took over the cluster's data has Raft's state and no more: it was never unsealed, and it
 * can neither go on nor join again in that store. Nothing is lost with it.
 */
async function emptied({ message }: VaultError, { node }: Vault, input: Unsealing, step: Waiting) {
  if (input.emptyStore === undefined)
    return new StepError(
      `${message}. ${node} was ended in the middle of its join: its store has Raft's state and nothing else, so it can neither go on nor join again. What it was to hold is on the others. The way out: a fresh volume for ${node}, give the old one up as identity then says, and ${upAgain(input)}`,
      kubectl(input, `delete pvc/data-${node} pod/${node}`),
    );
  step.say(
    "was ended in the middle of its join, before it held anything: its store is emptied, and it joins anew",
  );
  await input.emptyStore();
  return new NotYet(`${node} starts again with an empty store`);
}

export function says({ errors }: VaultError, words: string): boolean {
  return errors.some((text) => text.includes(words));
}

/**
 * 400 from a node that has data ("invalid key"); from one that joins 500, since it fails on the leader's challenge
 * ("cipher: message authentication failed").
 */
export function speaksOfWrongShares({ status, errors }: VaultError): boolean {
  return status === 400 || errors.some((text) => text.includes("message authentication failed"));
}

async function wrongShares(vault: Vault, { message }: VaultError, input: Unsealing): Promise<StepError> {
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
