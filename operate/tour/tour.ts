/** Takes a tour of a Vault, step by step, and takes everything away that it made, however it ends. */
import { randomBytes } from "node:crypto";
import { words } from "../../steps/lib/errors.ts";
import { Api, type Values } from "./api.ts";
import { removeLeft } from "./left.ts";
import { masked } from "./mask.ts";
import { newNames } from "./names.ts";
import type { Place } from "./place.ts";
import { tourSteps } from "./steps.ts";
import { type Told, takeStep } from "./take-step.ts";

/** The Vault that is toured. */
export interface Toured {
  place: Place;
  /** The root token. */
  token: string;
  /** Commands that a message ends with: where Vault does not answer, and where it is sealed. */
  next: { doctor: string; up: string; way: string };
}

/** To whom a tour speaks, and what ends it. */
export interface Telling {
  /** Told each step as soon as it is answered, also one that went otherwise than expected; the next one waits for it. */
  tell(step: Told, number: number, of: number): void | Promise<void>;
  /** Told what else there is to say: one line. */
  say(line: string): void;
  signal: AbortSignal;
}

/**
 * Takes the tour. No other may run on this Vault: what it has made would be taken for left over.
 * @throws StepError where a step went otherwise than expected; the signal's reason where it was interrupted
 */
export async function takeTour(toured: Toured, { tell, say, signal }: Telling): Promise<void> {
  const values: Values = { VAULT_TOKEN: toured.token, ...newSecrets() };
  const steps = tourSteps(newNames(), values);
  const api = new Api(toured.place, toured.next.way);
  let made = false;
  try {
    for (const [at, step] of steps.entries()) {
      if (!made && step.call.method !== "GET") {
        made = true;
        const left = await removeLeft(api, values);
        if (left.length > 0) say(`An earlier tour had left ${left.join(", ")}: removed.`);
      }
      const { told, wrong } = await takeStep(step, { toured, api, values, say, signal });
      await tell(masked(told, values), at + 1, steps.length);
      if (wrong) throw wrong;
    }
  } catch (error) {
    if (made) await cleanUp(toured, values, say);
    throw error;
  } finally {
    api.close();
  }
}

async function cleanUp({ place, next }: Toured, values: Values, say: Telling["say"]): Promise<void> {
  const api = new Api(place, next.way);
  try {
    const left = await removeLeft(api, values);
    if (left.length > 0) say(`Cleaned up: ${left.join(", ")}.`);
  } catch (error) {
    say(masked(`Could not clean up: ${words(error)}. The next npm run tour does that.`, values));
  } finally {
    api.close();
  }
}

/** What the tour writes and encrypts. */
function newSecrets(): Values {
  const secret = () => randomBytes(12).toString("base64");
  const SECRET = secret();
  return { SECRET, NEW_SECRET: secret(), PLAINTEXT: Buffer.from(SECRET).toString("base64") };
}
