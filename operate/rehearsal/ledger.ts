/** What a writer was told, kept so that it can be held against what is found afterwards. Times: ms, performance.now(). */
import type { Answer } from "../../steps/lib/http.ts";

/** "refused": Vault said anything but 2xx, a redirect too. "unanswered": no whole answer in time. */
export type Outcome = "acknowledged" | "refused" | "unanswered";

/** One write, each with a key and a value of its own. */
export interface Write {
  key: string;
  value: string;
  /** The node that was asked. */
  node: string;
  sentAt: number;
  /** When the answer came, or the writer gave up. */
  endedAt: number;
  outcome: Outcome;
}

/** An acknowledged write that was not found as it was acknowledged, and the node it was read through. */
export interface Loss {
  key: string;
  node: string;
  found: "nothing" | "another value";
}

/** The longest time without an acknowledged write. */
export interface Gap {
  /** When the last acknowledgement before it came. */
  from: number;
  /** When the first one after it came. */
  to: number;
  ms: number;
  /** How much of it may be the writer's own waiting: from sending the last write that failed to the gap's end. */
  resolutionMs: number;
}

/** Only a 2xx of Vault acknowledges a write. A 307 sends the client elsewhere, and nothing was written. */
export function outcomeOf(answer: Pick<Answer, "status"> | undefined): Outcome {
  if (answer === undefined) return "unanswered";
  return answer.status >= 200 && answer.status <= 299 ? "acknowledged" : "refused";
}

/** Whether Vault's answer to reading an acknowledged write back shows a loss; "unsaid" where it says neither. */
export function judgeRead(
  { key, value }: Pick<Write, "key" | "value">,
  node: string,
  { status, body }: Answer,
): Loss | "kept" | "unsaid" {
  if (status === 404) return { key, node, found: "nothing" };
  if (status !== 200) return "unsaid";
  return valueIn(body) === value ? "kept" : { key, node, found: "another value" };
}

function valueIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { data?: { value?: unknown } }).data?.value;
  } catch {
    return undefined;
  }
}

/**
 * The longest time between two acknowledgements, of those that end after `since`. Undefined where none was before it,
 * or none came after it: then nothing is known of where it would end.
 */
export function longestGap(writes: readonly Write[], since: number): Gap | undefined {
  const acknowledged = writes.filter(({ outcome }) => outcome === "acknowledged");
  let longest: Gap | undefined;
  for (const [at, { endedAt: to, sentAt }] of acknowledged.entries()) {
    const from = acknowledged[at - 1]?.endedAt;
    if (from === undefined || to < since || (longest !== undefined && to - from <= longest.ms)) continue;
    const failed = writes.findLast((write) => write.outcome !== "acknowledged" && write.endedAt <= sentAt);
    const lastTry = failed !== undefined && failed.sentAt > from ? failed.sentAt : from;
    longest = { from, to, ms: to - from, resolutionMs: to - lastTry };
  }
  return longest;
}
