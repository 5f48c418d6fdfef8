import { once } from "node:events";
import { createServer, request, type Server } from "node:http";

/** What may happen to a request; false cuts the connection. */
type Hook = (asked: string) => Promise<boolean> | boolean;

/** Stands before a vault process, keeps a list of what was asked, and may hold back or drop a request or an answer. */
export class RecordingProxy {
  readonly address: string;
  /** Method and path of each request, in order. */
  readonly asked: string[] = [];
  /** What Vault answered, whether or not that was passed on: method, path and status. */
  readonly answers: string[] = [];
  readonly #server: Server;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
  }

  /**
   * @param answered called when Vault's answer has come, before it is passed on
   * @param arrived called when a request has come, before Vault gets it
   * @param changed what is passed on in place of an answer's body
   */
  static async before(
    target: string,
    answered: Hook = () => true,
    {
      arrived = () => true,
      changed = (_, body) => body,
    }: { arrived?: Hook; changed?: (asked: string, body: string) => string } = {},
  ): Promise<RecordingProxy> {
    const server = createServer(async (incoming, outgoing) => {
      const asked = `${incoming.method} ${incoming.url}`;
      proxy.asked.push(asked);
      incoming.on("error", () => {});
      if (!(await arrived(asked))) {
        incoming.socket.destroy();
        return;
      }
      const { method, headers } = incoming;
      const passed = request(target + incoming.url, { method, headers }, async (answer) => {
        proxy.answers.push(`${asked} ${answer.statusCode}`);
        const body = Buffer.from(changed(asked, Buffer.concat(await answer.toArray()).toString()));
        if (await answered(asked)) {
          // The body goes out in one piece, and may be another than Vault's.
          const { "transfer-encoding": _, ...rest } = answer.headers;
          outgoing.writeHead(answer.statusCode ?? 502, { ...rest, "content-length": body.length }).end(body);
        } else {
          incoming.socket.destroy();
        }
      });
      passed.on("error", () => incoming.socket.destroy());
      incoming.pipe(passed);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const at = server.address();
    if (at === null || typeof at === "string") throw new Error("no port");
    const proxy = new RecordingProxy(server, `http://127.0.0.1:${at.port}`);
    return proxy;
  }

  /** How often this was asked. */
  count(asked: string): number {
    return this.asked.filter((one) => one === asked).length;
  }

  /** Cuts every connection that is open; new ones are taken. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async end(): Promise<void> {
    this.cut();
    await once(this.#server.close(), "close");
  }
}
