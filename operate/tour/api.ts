import { StepError, words } from "../../steps/lib/errors.ts";
import type { HttpClient } from "../../steps/lib/http.ts";
import { clientOf, type Place } from "./place.ts";

/** Values by the names that they have in a shell. A string `$NAME` in a call's body stands for the value NAME. */
export type Values = Record<string, string>;

/** One call of Vault's API: what is sent, and what a person types for it. */
export interface ApiCall {
  method: "GET" | "POST" | "DELETE";
  /** Under /v1/, with its query. */
  path: string;
  /** The value that is sent as X-Vault-Token. */
  token?: string;
  /** Has the answer wrapped, for so long. */
  wrapTtl?: string;
  body?: Record<string, unknown>;
}

/** An answer of Vault: its status, and its JSON; null where it has no content. */
export interface ApiAnswer {
  status: number;
  json: unknown;
}

/** The longest that one call may take, in milliseconds: mounting and unmounting do work before they answer. */
const callMs = 20_000;

/**
 * An interrupt cuts no call in two: Vault might go on with it while what was made is being removed. Each call has its
 * own limit.
 */
const never = new AbortController().signal;

/** Vault's API at a place. */
export class Api {
  readonly #place: Place;
  readonly #http: HttpClient;
  readonly #next: string;

  /** `next` is the command that a message ends with where nothing answers. */
  constructor(place: Place, next: string) {
    this.#place = place;
    this.#http = clientOf(place);
    this.#next = next;
  }

  /**
   * Makes one call. Any status is an answer.
   * @throws StepError where nothing answers, where its certificate is not to be trusted, or where it is not Vault
   */
  async send({ method, path, token, wrapTtl, body }: ApiCall, values: Values): Promise<ApiAnswer> {
    const { address, caFile } = this.#place;
    const asked = `${method} ${address}/v1/${path}`;
    const headers = {
      ...(token && { "x-vault-token": values[token] ?? "" }),
      ...(wrapTtl && { "x-vault-wrap-ttl": wrapTtl }),
    };
    const call = { method, path: `/v1/${path}`, headers, timeoutMs: callMs, signal: never };
    const { status, body: text } = await this.#http
      .call(body ? { ...call, body: filled(body, values) } : call)
      .catch((error) => {
        const trusting = caFile ? ` (trusting ${caFile})` : "";
        throw new StepError(`Vault did not answer ${asked}${trusting}: ${words(error)}`, this.#next);
      });
    if (text === "") return { status, json: null };
    try {
      return { status, json: JSON.parse(text) };
    } catch {
      const begin = text
        .replace(/<[^>]*>/g, " ")
        .replace(/\s+/g, " ")
        .trim()
        .slice(0, 100);
      throw new StepError(`what answered ${asked} is not Vault: ${status}, "${begin}"`, this.#next);
    }
  }

  close(): void {
    this.#http.close();
  }
}

/** A body with its values in it. */
function filled(body: object, values: Values): object {
  return JSON.parse(
    JSON.stringify(body, (_, value) => (isName(value) ? (values[value.slice(1)] ?? value) : value)),
  );
}

/** Whether a part of a body stands for a value. */
export function isName(part: unknown): part is string {
  return typeof part === "string" && /^\$[A-Z_]+$/.test(part);
}
