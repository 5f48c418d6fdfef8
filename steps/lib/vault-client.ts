import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { Unreachable, words } from "./errors.ts";
import { type Call, HttpClient } from "./http.ts";
import type { Step } from "./io.ts";
import type { Road } from "./road.ts";
import { VaultError } from "./vault-error.ts";

/** The longest that an ordinary request may take, in milliseconds; on two slow cores an answer takes up to 1 s. */
const requestMs = 5_000;

/** For what Vault does work for before it answers: init, the last share, join. */
export const longRequestMs = 60_000;

/**
 * Calls of Vault's API to one node.
 *
 * Every method throws VaultError with Vault's own words for an answer that is no success, and Unreachable where
 * no answer came. Neither ever holds the body that was sent.
 */
export class VaultClient {
  readonly node: string;
  readonly #road: Road;
  readonly #http: HttpClient;
  readonly #signal: AbortSignal;
  readonly #token: string | undefined;

  constructor(road: Road, node: string, step: Pick<Step, "signal">, token?: string) {
    this.node = node;
    this.#road = road;
    this.#signal = step.signal;
    this.#token = token;
    this.#http = new HttpClient(road.host(node), () => road.connect(node, step.signal));
  }

  /**
   * One call with a body, or an answer, that is no JSON and too large to be held, for as long as it goes on.
   * @param limit ends it; whoever calls sees whether anything moves
   * @returns the answer's body
   */
  async stream(
    method: Call["method"],
    path: string,
    limit: AbortSignal,
    body?: { stream: Readable; size: number },
  ): Promise<IncomingMessage> {
    const signal = AbortSignal.any([this.#signal, limit]);
    const call = { method, path: `/v1/${path}`, headers: this.#headers(), signal };
    const answer = await this.#http
      .stream(body === undefined ? call : { ...call, body })
      .catch((error) => this.#unreachable(method, path, error));
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status <= 299) return answer;
    throw this.#refusal(method, path, status, parse(await text(answer)));
  }

  close(): void {
    this.#http.close();
  }

  /**
   * One call of Vault's API, for what has no method of its own here.
   * @param answer what a success has to look like
   * @param path below /v1/
   */
  async ask<S extends z.ZodType>(
    answer: S,
    method: Call["method"],
    path: string,
    body?: object,
    timeoutMs = requestMs,
  ): Promise<z.output<S>> {
    const call: Call = {
      method,
      path: `/v1/${path}`,
      headers: this.#headers(),
      timeoutMs,
      signal: this.#signal,
    };
    const { status, body: text } = await this.#http
      .call(body === undefined ? call : { ...call, body })
      .catch((error) => this.#unreachable(method, path, error));
    const json = parse(text);
    if (status < 200 || status > 299) throw this.#refusal(method, path, status, json);
    const checked = answer.safeParse(json);
    if (checked.success) return checked.data;
    const wrong = checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    throw new Error(
      `${this.node} answered ${method} /v1/${path} with ${status}, but not as Vault does: ${wrong}`,
    );
  }

  #headers() {
    return { "x-vault-request": "true", ...(this.#token && { "x-vault-token": this.#token }) };
  }

  async #unreachable(method: string, path: string, error: unknown): Promise<never> {
    this.#signal.throwIfAborted();
    const why = await this.#road.whyNot(this.node, this.#signal);
    const because = why === undefined ? words(error) : `${why}; ${words(error)}`;
    throw new Unreachable(`${this.node} did not answer ${method} /v1/${path}: ${because}`);
  }

  #refusal(method: string, path: string, status: number, json: unknown): VaultError {
    const said = Refusal.safeParse(json);
    return new VaultError(this.node, method, path, status, said.success ? said.data.errors : []);
  }
}

const Refusal = z.object({ errors: z.array(z.string()) });

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
