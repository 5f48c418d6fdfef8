import { z } from "zod";
import { NotYet, StepError } from "../../steps/lib/errors.ts";
import { until, within } from "../../steps/lib/wait.ts";
import { Refused } from "./answers.ts";
import type { Api, ApiAnswer, Values } from "./api.ts";
import { curlLine } from "./curl.ts";
import { masked } from "./mask.ts";
import type { TourStep } from "./step.ts";
import type { Telling, Toured } from "./tour.ts";

/** A step, what to type for it, and what came back. */
export interface Told {
  name: string;
  says: string;
  /** With curl. */
  curl: string;
  /** With the command `vault`. */
  cli: string;
  /** The HTTP status. */
  status: number;
  /** What is worth seeing of the answer; null where it has no content. */
  answer: unknown;
}

interface Taking extends Pick<Telling, "say" | "signal"> {
  toured: Toured;
  api: Api;
  /** A step adds what it keeps. */
  values: Values;
}

/** How long a new mount may take until it can be used, in seconds. */
const readySeconds = 20;

/**
 * Makes a step's call. `wrong` is why its answer is not the expected one.
 * @throws StepError where nothing, or not Vault, answers
 */
export async function takeStep(step: TourStep, taking: Taking): Promise<{ told: Told; wrong?: StepError }> {
  const { toured, values } = taking;
  const { name, says, cli, call, keeps, answer, refusal } = step;
  const { status, json } = await answered(step, taking);
  const told: Told = { name, says, curl: curlLine(call, toured.place, keeps), cli, status, answer: null };

  const expected = refusal === undefined ? status >= 200 && status <= 299 : status === refusal;
  if (!expected) {
    // Vault's words hold no secret; anything else that came is not shown.
    const shown = Otherwise.safeParse(json).data ?? null;
    return { told: { ...told, answer: shown }, wrong: wrongStatus(step, status, shown, toured) };
  }
  const checked = answer.safeParse(json);
  if (!checked.success) {
    const wrong = checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    const words = `${name}: ${call.method} /v1/${call.path} answered ${status}, but not what was expected: ${wrong.join("; ")}`;
    return { told, wrong: new StepError(masked(words, values), toured.next.doctor) };
  }
  if (keeps) values[keeps.name] = String(keeps.from.reduce((part, key) => (part as Values)[key], json));
  return { told: { ...told, answer: checked.data } };
}

/** Sends a step's call, again as long as a new mount is not ready for it. */
function answered({ call }: TourStep, { api, values, say, signal }: Taking): Promise<ApiAnswer> {
  return until(
    "the new mount to be ready",
    async () => {
      const answer = await api.send(call, values);
      const [words = ""] = Refused.safeParse(answer.json).data?.errors ?? [];
      // kv says this of a mount of version 2 while it makes its first entries.
      if (answer.status === 400 && words.startsWith("Upgrading from non-versioned")) throw new NotYet(words);
      return answer;
    },
    within({ say, signal }, readySeconds),
  );
}

const State = z.object({ initialized: z.boolean(), sealed: z.boolean() });
const Otherwise = z.union([Refused, State]);

function wrongStatus(
  { name, call }: TourStep,
  status: number,
  shown: z.output<typeof Otherwise> | null,
  { place, next }: Toured,
): StepError {
  const errors = shown && "errors" in shown ? shown.errors : [];
  const state = shown && "initialized" in shown ? shown : undefined;
  if (state?.initialized === false)
    return new StepError(`Vault at ${place.address} is not initialised.`, next.up);
  if (state?.sealed || errors.includes("Vault is sealed"))
    return new StepError(`The Vault node that answers at ${place.address} is sealed.`, next.up);
  if (name === "sign in" && status === 403)
    return new StepError(
      "Vault does not take the stack's root token: it was revoked, or is another Vault's.",
      next.doctor,
    );
  const words =
    errors.length > 0
      ? errors.map((text) => text.replace(/\s+/g, " ").trim()).join("; ")
      : "no words of its own";
  return new StepError(`${name}: ${call.method} /v1/${call.path} answered ${status}: ${words}`, next.doctor);
}
