import { Duplex } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
// Its own file, because the package's index loads every type of the API: half a second of CPU.
import { WebSocketHandler } from "@kubernetes/client-node/dist/web-socket-handler.js";
import { words } from "./errors.ts";
import type { Kube } from "./kube.ts";

/** What is used of the WebSocket that the handler gives; it comes without types. */
interface Socket {
  send(data: Buffer, sent: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
  on(event: "close", listener: () => void): void;
}

/**
 * A TCP connection into a pod, through the Kubernetes API's port-forward (WebSocket, protocol v4.channel.k8s.io).
 * Works for pods that are not ready. Not the package's PortForward, which loads all of the API's types and
 * leaves its socket open when the pod's side is gone.
 *
 * @throws Error when the API refuses it; the stream fails with the kubelet's words when nothing listens there
 */
export async function openTunnel(kube: Kube, namespace: string, pod: string, port: number): Promise<Duplex> {
  const tunnel = new Tunnel();
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`;
  try {
    const connected = new WebSocketHandler(libraryConfig(kube)).connect(path, null, (stream, data) =>
      tunnel.frame(stream, data),
    );
    tunnel.use((await connected) as unknown as Socket);
  } catch (error) {
    throw new Error(`no port-forward to ${pod}:${port}: ${words(error)}`);
  }
  if (tunnel.errored) throw tunnel.errored;
  return tunnel;
}

/** What the library's own calls use of its KubeConfig. */
export function libraryConfig(kube: Kube): KubeConfig {
  const cluster = { server: kube.server };
  return {
    getCurrentCluster: () => cluster,
    applyToHTTPSOptions: async (options: object) => void Object.assign(options, await kube.options()),
  } as unknown as KubeConfig;
}

/** Stream numbers of the protocol, for the first (here the only) port. */
const dataStream = 0;
const errorStream = 1;

class Tunnel extends Duplex {
  #socket: Socket | undefined;
  /** Streams whose first frame, the port's number in two bytes, has come. */
  readonly #begun = new Set<number>();

  constructor() {
    super();
    // An error that comes before node:http listens must not end the process; the request sees it as well.
    this.on("error", () => {});
  }

  use(socket: Socket): void {
    this.#socket = socket;
    socket.on("close", () => {
      this.push(null);
      this.destroy();
    });
  }

  /** Takes a frame; false ends the socket. */
  frame(stream: number, data: Buffer): boolean {
    if (!this.#begun.has(stream)) {
      this.#begun.add(stream);
      return true;
    }
    if (stream === dataStream && !this.push(data)) this.#socket?.pause();
    if (stream !== errorStream || data.length === 0) return true;
    this.destroy(new Error(data.toString("utf8").trim()));
    return false;
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket === undefined) done(new Error("the tunnel is not open yet"));
    else this.#socket.send(Buffer.concat([Buffer.of(dataStream), chunk]), (error) => done(error));
  }

  override _final(done: () => void): void {
    this.#socket?.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.terminate();
    done(error);
  }

  // node:http asks these of its sockets.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
