import { setTimeout as sleep } from "node:timers/promises";
import { NotYet, StepError } from "./errors.ts";
import { VaultError } from "./vault-error.ts";

/** How often a wait tells that it still waits, in milliseconds. */
const tellEveryMs = 10_000;

/** The longest pause between two looks, in milliseconds; the first ones are shorter. */
const longestPauseMs = 250;

/** What a wait works with. */
export interface Waiting {
  /** Tells the operator something: one line. */
  say(line: string): void;
  /** Ends the wait. */
  signal: AbortSignal;
  /** When the wait has to end, in milliseconds since the epoch. */
  deadline: number;
  /** The limit that the deadline stands for, for words. */
  timeoutSeconds: number;
}

/**
 * Looks again and again until `look` gives a value. What may pass (NotYet, a node that does not answer, a Vault
 * that is sealed, has no leader or fails inside) is remembered as the last thing seen; any other error ends the
 * wait. About every 10 s it says what it waits for, how long so far and what it last saw.
 *
 * @param what what is waited for, as in "waiting for <what>"
 * @param next the command that the message at the deadline ends with
 * @throws StepError at the step's deadline, or the signal's reason when it is interrupted
 */
export async function until<T>(
  what: string,
  look: () => Promise<T>,
  step: Waiting,
  next?: string,
): Promise<T> {
  const began = Date.now();
  let told = began;
  let seen = "nothing";
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs + 100, longestPauseMs)) {
    step.signal.throwIfAborted();
    try {
      return await look();
    } catch (error) {
      if (step.signal.aborted) throw step.signal.reason;
      if (!mayPass(error)) throw error;
      seen = error.message;
    }
    const now = Date.now();
    if (now + pauseMs >= step.deadline) {
      throw new StepError(
        `waited ${seconds(now - began)} s for ${what}, and the limit of ${step.timeoutSeconds} s is reached. Last seen: ${seen}`,
        next,
      );
    }
    if (now - told >= tellEveryMs) {
      told = now;
      step.say(
        `waiting for ${what}: ${seconds(now - began)} s so far of ${step.timeoutSeconds} s; last seen: ${seen}`,
      );
    }
    await sleep(pauseMs, undefined, { signal: step.signal }).catch(() => step.signal.throwIfAborted());
  }
}

/** What a wait of so many seconds from now on works with. */
export function within({ say, signal }: Pick<Waiting, "say" | "signal">, timeoutSeconds: number): Waiting {
  return { say, signal, timeoutSeconds, deadline: Date.now() + timeoutSeconds * 1000 };
}

/** Whether waiting may help. */
export function mayPass(error: unknown): error is Error {
  return error instanceof NotYet || (error instanceof VaultError && error.mayPass);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
