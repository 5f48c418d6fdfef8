import type { Call } from "../lib/plugin.ts";
import { goQuote } from "./go-quote.ts";
import type { RunSettings } from "./inputs.ts";
import { lines } from "./lines.ts";
import { cannotStart, outcomeOf } from "./outcome.ts";
import { type CommandGroup, startGroup, streams } from "./process-group.ts";

/** What a command printed, without the last newline. */
export type Output = { stdout: string; stderr: string };

const defaultInterpreter = ["/bin/sh", "-c"];

/**
 * Runs a command text by its interpreter and gives what it printed, in the way of the official plug-in
 * (pulumi/pulumi-command v1.2.1, provider/pkg/provider/local/commandOutputs.go), but for the end: the command has a
 * process group of its own, and all of it is ended when the call is cancelled or its time is over.
 *
 * @param previous  goes into PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR, unless empty or not wanted.
 * @throws with the whole command text and everything that it printed, when it does not end with 0.
 */
export async function run(
  call: Call,
  text: string,
  settings: RunSettings,
  previous: Output,
): Promise<Output> {
  const interpreter = settings.interpreter?.length ? settings.interpreter : defaultInterpreter;
  const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[], both: [] as Buffer[] };
  const failure = (what: string, why = "") =>
    new Error(`${what}: running ${goQuote(text)}:\n${Buffer.concat(printed.both).toString()}${why}`);

  const stop = stopSignal(call);
  if (stop.aborted) throw failure(stoppedBy(stop, call).what);
  const group = await startGroup([...interpreter, text], {
    dir: settings.dir,
    env: { ...process.env, ...settings.environment, ...previousOutput(settings, previous) },
    stdin: settings.stdin,
  }).catch((error) => {
    throw failure(cannotStart(error, interpreter[0] ?? "", settings.dir));
  });
  capture(group, printed, settings.logging, call);

  let gone: Promise<void> | undefined;
  const end = () => {
    gone = group.end();
  };
  stop.addEventListener("abort", end);
  // It may have fired while the command was started.
  if (stop.aborted) end();
  const outcome = outcomeOf(await group.ended);
  stop.removeEventListener("abort", end);
  if (gone) {
    await gone;
    const { what, why } = stoppedBy(stop, call);
    throw failure(outcome ?? what, why);
  }
  if (outcome !== undefined) throw failure(outcome);
  return { stdout: textOf(printed.stdout, "stdout"), stderr: textOf(printed.stderr, "stderr") };
}

/** Fires when the command must end: the update is cancelled, or the time of customTimeouts is over. */
function stopSignal({ cancelled, timeoutSeconds }: Call): AbortSignal {
  if (timeoutSeconds <= 0) return cancelled;
  return AbortSignal.any([cancelled, AbortSignal.timeout(timeoutSeconds * 1000)]);
}

/** What the official plug-in calls it, and why in plain words. */
function stoppedBy(stop: AbortSignal, { cancelled, timeoutSeconds }: Call): { what: string; why: string } {
  if (stop.reason === cancelled.reason) {
    return { what: "context canceled", why: "ended because the update was cancelled\n" };
  }
  const why = `ended because customTimeouts allows it ${timeoutSeconds} s\n`;
  return { what: "context deadline exceeded", why };
}

/** Keeps what the command prints, and shows the lines of the streams that `logging` names. */
function capture(
  group: CommandGroup,
  printed: { stdout: Buffer[]; stderr: Buffer[]; both: Buffer[] },
  logging: RunSettings["logging"],
  call: Call,
): void {
  for (const stream of streams) {
    const shown = [undefined, "stdoutAndStderr", stream].includes(logging);
    const show = lines((line) => call.status(line));
    group[stream].on("data", (chunk: Buffer) => {
      printed[stream].push(chunk);
      printed.both.push(chunk);
      if (shown) show.write(chunk);
    });
    group[stream].once("end", () => show.end());
  }
}

function previousOutput(settings: RunSettings, previous: Output): NodeJS.ProcessEnv {
  if (settings.addPreviousOutputInEnv === false) return {};
  return {
    ...(previous.stdout !== "" && { PULUMI_COMMAND_STDOUT: previous.stdout }),
    ...(previous.stderr !== "" && { PULUMI_COMMAND_STDERR: previous.stderr }),
  };
}

function textOf(chunks: Buffer[], stream: string): string {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return utf8.decode(Buffer.concat(chunks)).replace(/\n$/, "");
  } catch {
    throw new Error(
      `${stream} is not UTF-8 text, which state cannot hold. Let the command print it as base64.`,
    );
  }
}
