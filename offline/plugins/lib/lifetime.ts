/**
 * How long, in ms, work may take to end after the plug-in was told to end. The engine kills it after 5 s
 * (pulumi/pulumi v3.215.0, sdk/go/common/resource/plugin/plugin.go).
 */
const farewell = 3_000;
/** How often, in ms, the plug-in looks whether its engine still lives. */
const lookAround = 500;

let inProgress = 0;

/** Counts a call as work that must have ended before the plug-in ends. */
export async function working<T>(work: () => Promise<T>): Promise<T> {
  inProgress++;
  try {
    return await work();
  } finally {
    inProgress--;
  }
}

/**
 * Ends this process, and first the work in it, when a signal says so or when the engine has died without a word
 * (SIGKILL): otherwise plug-in and running step would go on, unseen, beside the next update.
 */
export function endWithEngine(cancellation: AbortController): void {
  const engine = process.ppid;
  const end = (reason: string) => {
    cancellation.abort(new Error(reason));
    const deadline = Date.now() + farewell;
    const leave = () => {
      if (inProgress === 0 || Date.now() > deadline) process.exit(0);
    };
    leave();
    setInterval(leave, 20);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => end(signal));
  const watch = setInterval(() => {
    if (process.ppid === engine) return;
    clearInterval(watch);
    end("the engine has died");
  }, lookAround);
}
