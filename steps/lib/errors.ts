/**
 * An error that an operator reads: what was tried, on what, what was found, and the next command to type.
 * `next` is that command; it ends the message.
 */
export class StepError extends Error {
  readonly next: string | undefined;
  constructor(message: string, next?: string) {
    super(message);
    this.name = "StepError";
    this.next = next;
  }
}

/** What a poll saw that is not there yet but may come; `until` goes on, and tells it as the last thing seen. */
export class NotYet extends Error {
  constructor(seen: string) {
    super(seen);
    this.name = "NotYet";
  }
}

/** A node that could not be asked at all: no connection, cut off, or no answer in time. */
export class Unreachable extends NotYet {
  constructor(seen: string) {
    super(seen);
    this.name = "Unreachable";
  }
}

/** The words of any thrown value, with those of its cause and of each part of an AggregateError. */
export function words(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(words).join("; ");
  if (error instanceof Error) {
    const own = error.message || ("code" in error ? String(error.code) : error.name);
    return error.cause === undefined ? own : `${own} (${words(error.cause)})`;
  }
  // The WebSocket library rejects with an ErrorEvent, which is no Error.
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}
