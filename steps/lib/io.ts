import { constants } from "node:os";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { StepError, words } from "./errors.ts";
import { takeStackLock } from "./stack-lock.ts";
import type { Waiting } from "./wait.ts";

/**
 * What a step works with besides its input. What it says is one line on stderr, under its name; SIGINT and SIGTERM
 * abort its signal; its deadline comes from the input's timeoutSeconds.
 */
export interface Step extends Waiting {
  /** Runs what must not be cut in two: a signal that comes meanwhile takes effect when it is done. */
  unbroken<T>(work: () => Promise<T>): Promise<T>;
  /** Makes sure that a secret never shows on stderr, whoever words the message. */
  hide(...secrets: string[]): void;
}

/** How long a step may go on after its deadline or a signal before it ends itself, in seconds. */
const graceSeconds = 20;

/** The setting of every step: its own deadline. Pulumi's customTimeouts end only the shell, not the step. */
export const Timeout = z.object({ timeoutSeconds: z.number().positive() });

type Input = z.ZodType<{ timeoutSeconds: number; stackDir?: string; pod?: string }>;

/**
 * Runs a step as a process: one JSON object on stdin, checked by `schema`; one JSON object on stdout; words on
 * stderr. It begins when no other step works on the stack; one without a `stackDir` works on none. Ends the process
 * with 0 and the answer, with 1 and a message, or with 128 + the signal's number.
 */
export async function runStep<S extends Input>(
  name: string,
  schema: S,
  work: (input: z.output<S>, step: Step) => Promise<object>,
): Promise<never> {
  const secrets: string[] = [];
  const hide = (...more: string[]) => void secrets.push(...more.filter((secret) => secret.length > 0));
  let prefix = name;
  const say = (line: string) => {
    const shown = secrets.reduce((shown, secret) => shown.replaceAll(secret, "(secret)"), line);
    process.stderr.write(`${shown.replace(/^/gm, `${prefix}: `)}\n`);
  };

  const interruption = new AbortController();
  let caught: "SIGINT" | "SIGTERM" | undefined;
  let unbrokenWorks = 0;
  const interrupt = () => {
    interruption.abort(new StepError(`ended by ${caught}; nothing is lost`, "pulumi up"));
    setTimeout(() => process.exit(exitCode(caught)), graceSeconds * 1000).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      caught ??= signal;
      if (unbrokenWorks === 0) interrupt();
      else say(`${signal} received: ending as soon as what cannot be repeated is safe on disk`);
    });
  }
  const unbroken = async <T>(work: () => Promise<T>): Promise<T> => {
    unbrokenWorks++;
    try {
      return await work();
    } finally {
      unbrokenWorks--;
      if (unbrokenWorks === 0 && caught !== undefined) interrupt();
    }
  };

  // Whoever started the step may be gone: that must not end it between a call and its answer's way to the disk.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  try {
    const input = await readInput(name, schema);
    hide(...secretsIn(input));
    if (input.pod !== undefined) prefix = `${name} ${input.pod}`;
    const { timeoutSeconds, stackDir } = input;
    const signal = interruption.signal;
    const free = Date.now() + (timeoutSeconds + graceSeconds) * 1000;
    if (stackDir !== undefined)
      await takeStackLock(stackDir, prefix, { say, signal, deadline: free, timeoutSeconds });
    const deadline = Date.now() + timeoutSeconds * 1000;
    setTimeout(
      () => {
        say(`still at work ${graceSeconds} s after its limit of ${timeoutSeconds} s, so it ends itself.`);
        say("Next: pulumi up");
        process.exit(1);
      },
      (timeoutSeconds + graceSeconds) * 1000,
    ).unref();
    const answer = await work(input, { say, signal, deadline, timeoutSeconds, unbroken, hide });
    await print(JSON.stringify(answer));
    process.exit(0);
  } catch (error) {
    const told = interruption.signal.aborted ? interruption.signal.reason : error;
    say(words(told));
    say(`Next: ${(told instanceof StepError && told.next) || "pulumi up"}`);
    process.exit(interruption.signal.aborted ? exitCode(caught) : 1);
  }
}

async function readInput<S extends Input>(name: string, schema: S): Promise<z.output<S>> {
  const usage = `echo '{...}' | node steps/${name}.ts   # the fields are in steps/${name}.ts`;
  if (process.stdin.isTTY) throw new StepError("expects one JSON object on stdin, found a terminal", usage);
  const raw = await text(process.stdin);
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    // JSON.parse's own message quotes the text, which holds shares and tokens.
    throw new StepError(
      `expects one JSON object on stdin, found ${raw.length} characters that are not JSON`,
      usage,
    );
  }
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  // Zod's messages name types and limits, never the value.
  const problems = checked.error.issues.map(
    ({ path, message }) => `- ${path.join(".") || "input"}: ${message}`,
  );
  throw new StepError(`its input on stdin has ${problems.length} problem(s):\n${problems.join("\n")}`, usage);
}

function secretsIn(input: object): string[] {
  const { token, shares, authority } = input as { [key in "token" | "shares" | "authority"]?: unknown };
  const { key } = (authority ?? {}) as { key?: unknown };
  return [token, key, ...(Array.isArray(shares) ? shares : [])].filter((value) => typeof value === "string");
}

function print(answer: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${answer}\n`, (error) =>
      error ? reject(new StepError(`could not print its answer: ${words(error)}`)) : resolve(),
    );
  });
}

function exitCode(signal: "SIGINT" | "SIGTERM" | undefined): number {
  return 128 + (signal === undefined ? 0 : constants.signals[signal]);
}
