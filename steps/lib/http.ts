import { Agent, type ClientRequestArgs, type IncomingMessage, request } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

/** An HTTP answer, whatever its status. */
export interface Answer {
  status: number;
  body: string;
}

export interface Call {
  method: "GET" | "POST" | "PUT" | "LIST" | "DELETE";
  /** Path and query. */
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: object;
  /** The longest that the whole exchange may take, with the connection. */
  timeoutMs: number;
  signal: AbortSignal;
}

/** A call that may take as long as it goes on, with a body that is too large to be held. */
export interface StreamCall extends Omit<Call, "body" | "timeoutMs"> {
  body?: { stream: Readable; size: number };
}

/**
 * An HTTP client of one host whose connections `connect` makes: a socket, a tunnel through another protocol, TLS
 * on top of either. One connection is kept and used again, since a tunnel costs more than a request.
 *
 * Not `fetch`: that takes a connection of one's own only through the undici package, whose loading costs a step
 * more than node:http's does.
 */
export class HttpClient {
  readonly #host: string;
  readonly #agent: Agent;

  constructor(host: string, connect: () => Promise<Duplex>) {
    this.#host = host;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agent.createConnection = (_options: ClientRequestArgs, made) => {
      connect().then(
        (stream) => made?.(null, stream),
        // The callback's type asks for a stream beside the error; Node's agent reads the error alone.
        (error) => made?.(error, undefined as unknown as Duplex),
      );
      return undefined;
    };
  }

  /** Makes one call. Fails only where no whole answer came. Redirects are answers: they are not followed. */
  async call({ method, path, headers, body, timeoutMs, signal }: Call): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const limit = AbortSignal.timeout(timeoutMs);
    const ended = AbortSignal.any([limit, signal]);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        // A call that waits for the connection to be free is not told by Node that it was ended.
        ended.addEventListener("abort", () => reject(ended.reason), { once: true });
        const sent = request({
          agent: this.#agent,
          host: this.#host,
          method,
          path,
          headers: {
            ...headers,
            ...(payload !== undefined && {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(payload),
            }),
          },
          signal: ended,
        });
        sent.on("error", reject);
        sent.on("response", (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        });
        sent.end(payload);
      });
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) throw new Error(`no answer within ${timeoutMs / 1000} s`);
      throw error;
    }
  }

  /** Makes one call, and gives its answer as soon as it begins. */
  stream({ method, path, headers, body, signal }: StreamCall): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = request({
        agent: this.#agent,
        host: this.#host,
        method,
        path,
        headers: { ...headers, ...(body && { "content-length": body.size }) },
        signal,
      });
      sent.on("error", reject);
      sent.on("response", resolve);
      if (body === undefined) sent.end();
      else pipeline(body.stream, sent).catch(reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
