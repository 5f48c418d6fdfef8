import { type Answer, type Call, HttpClient } from "../../steps/lib/http.ts";
import type { Road } from "../../steps/lib/road.ts";

/** One node's API, asked with a limit of one's own, and every answer given as it is: redirects are not followed. */
export class NodeClient {
  readonly node: string;
  readonly #http: HttpClient;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal;

  constructor(road: Road, node: string, signal: AbortSignal, token?: string) {
    this.node = node;
    this.#http = new HttpClient(road.host(node), () => road.connect(node, signal));
    this.#headers = { "x-vault-request": "true", ...(token !== undefined && { "x-vault-token": token }) };
    this.#signal = signal;
  }

  /** The answer; undefined where none came within the limit. Throws only the signal's reason. */
  async ask(
    method: Call["method"],
    path: string,
    { body, timeoutMs }: { body?: object; timeoutMs: number },
  ): Promise<Answer | undefined> {
    const call: Call = {
      method,
      path: `/v1/${path}`,
      headers: this.#headers,
      timeoutMs,
      signal: this.#signal,
      ...(body !== undefined && { body }),
    };
    return await this.#http.call(call).catch(() => {
      this.#signal.throwIfAborted();
      return undefined;
    });
  }

  close(): void {
    this.#http.close();
  }
}
