import { words } from "../../steps/lib/errors.ts";

/** What one place answered, or in words why it did not. */
export type Answer<T> = { value: T; failed?: never } | { failed: string; value?: never };

/**
 * How long one place may take to answer, in milliseconds. On a stack that stands all answer within 1 s; on two cores
 * that are busy with something else a healthy one must not seem dead.
 */
export const answerMs = 2_500;

/** Asks one place, within a time of its own, so that a place that hangs holds up nobody else. Never throws. */
export async function ask<T>(
  work: (signal: AbortSignal) => T | Promise<T>,
  limitMs = answerMs,
): Promise<Answer<T>> {
  const limit = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`no answer within ${limitMs / 1000} s`);
    limit.abort(error);
    reject(error);
  }, limitMs);
  try {
    return { value: await Promise.race([work(limit.signal), late]) };
  } catch (error) {
    return { failed: words(error) };
  } finally {
    clearTimeout(timer);
  }
}
