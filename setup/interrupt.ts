/** Signals that ask a command to stop. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const SIGNALS: StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** One Ctrl-C can arrive twice or thrice: from the terminal, from npm, from bin/start.mjs. */
const SAME_MS = 700;

/**
 * Calls `stop` once for each time the user asks to stop, counted from 1: copies of one Ctrl-C that
 * arrive within a moment are one. Gives a function that ends this.
 */
export function onInterrupt(stop: (times: number, signal: StopSignal) => void): () => void {
  let times = 0;
  let last = Number.NEGATIVE_INFINITY;
  const handle = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (now - last < SAME_MS) return;
    last = now;
    stop(++times, signal as StopSignal);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle);
  };
}
