/** An error travels in an HTTP/2 header, of which the engine's side (grpc-go) takes 16 MiB, percent-encoded. */
const maxEncoded = 15 * 1024 * 1024;

/** The message of anything that was thrown, short enough for the way to the engine: its middle goes first. */
export function messageFor(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).toWellFormed();
  let kept = message.length;
  let short = message;
  while (encodeURI(short).length > maxEncoded) {
    kept = Math.floor(kept * 0.8);
    const left = message.slice(0, kept / 2).toWellFormed();
    const right = message.slice(-kept / 2).toWellFormed();
    short = `${left}\n... (${message.length - kept} characters left out) ...\n${right}`;
  }
  return short;
}
