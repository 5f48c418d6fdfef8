import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { tlsVolume } from "../../steps/lib/tls-secret.ts";

/** What the API server says of one pod, and where its port 8200 leads. */
export interface FakePod {
  /** The object's status; metadata and spec are made from the name. */
  status: object;
  /** UID of its PVC. */
  claim: string;
  /** Address of what listens in it, such as http://127.0.0.1:34567. */
  address?: string;
  labels?: Record<string, string>;
  /** What its Vault speaks by the pod's own account, and the Secret that it was given for that. */
  speaks?: { scheme: "http" | "https"; tlsSecret?: string };
}

/** The status of a pod whose Vault runs and is ready, as an unsealed one is. */
export function readyStatus(container: string): object {
  return { ...runningStatus(container), conditions: [{ type: "Ready", status: "True" }] };
}

/** The status of a pod whose Vault runs and is not ready, as a sealed one is. */
export function runningStatus(container: string): object {
  return {
    phase: "Running",
    conditions: [{ type: "Ready", status: "False", reason: "ContainersNotReady" }],
    containerStatuses: [{ name: "vault", containerID: container, restartCount: 0, state: { running: {} } }],
  };
}

/**
 * The part of a Kubernetes API server that the steps use, on loopback: pods, claims, and port-forward over
 * WebSocket with the frames of v4.channel.k8s.io, into real processes.
 */
export class KubeApi {
  readonly pods: Record<string, FakePod> = {};
  /** The Secrets of the namespace: what each holds, in clear. */
  readonly secrets: Record<string, Record<string, string>> = {};
  /** The events of the namespace. */
  readonly events: object[] = [];
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();
  /** How many tunnels were opened. */
  opened = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<KubeApi> {
    const server = createServer((request, response) => {
      const [status, body] = api.#answer(request);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    const api = new KubeApi(server);
    server.on("upgrade", (request, socket) => api.#forward(request, socket));
    await once(server, "listening");
    return api;
  }

  get #port(): number {
    const at = this.#server.address();
    if (at === null || typeof at === "string") throw new Error("no port");
    return at.port;
  }

  /** A kubeconfig for it, as text. */
  get kubeconfig(): string {
    const cluster = { server: `http://127.0.0.1:${this.#port}` };
    return JSON.stringify({
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      clusters: [{ name: "test", cluster }],
      users: [{ name: "test", user: { token: "kube-token" } }],
    });
  }

  /** Cuts all tunnels that are open. */
  cut(): void {
    for (const tunnel of this.#tunnels) tunnel.destroy();
  }

  async end(): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
  }

  #answer({ url = "", headers }: IncomingMessage): [number, object] {
    if (headers.authorization !== "Bearer kube-token") return [401, { message: "Unauthorized" }];
    const name = /^\/api\/v1\/namespaces\/vault\/pods\/([^/]+)$/.exec(url)?.[1];
    const pod = this.pods[name ?? ""];
    if (name && pod) return [200, podObject(name, pod)];
    if (/\/namespaces\/vault\/pods\?/.test(url))
      return [200, { items: Object.entries(this.pods).map(([name, pod]) => podObject(name, pod)) }];
    if (url.endsWith("/persistentvolumeclaims")) {
      const claims = Object.entries(this.pods).map(([name, { claim }]) => ({
        metadata: { name: `data-${name}`, uid: claim },
        status: { phase: "Bound" },
      }));
      return [200, { items: claims }];
    }
    if (url === "/api/v1/namespaces/kube-system") return [200, { metadata: { uid: "uid-of-kube-system" } }];
    if (url.endsWith("/events")) return [200, { items: this.events }];
    const secret = this.secrets[/^\/api\/v1\/namespaces\/vault\/secrets\/([^/]+)$/.exec(url)?.[1] ?? ""];
    if (secret)
      return [
        200,
        { data: Object.fromEntries(Object.entries(secret).map(([key, text]) => [key, btoa(text)])) },
      ];
    const claim = /\/persistentvolumeclaims\/data-([^/]+)$/.exec(url)?.[1];
    const uid = this.pods[claim ?? ""]?.claim;
    return uid ? [200, { metadata: { uid } }] : [404, { message: `"${url}" not found` }];
  }

  #forward({ url = "", headers }: IncomingMessage, socket: Duplex): void {
    const pod = this.pods[/\/pods\/([^/]+)\/portforward\?ports=8200$/.exec(url)?.[1] ?? ""];
    if (pod === undefined || headers.authorization !== "Bearer kube-token") {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      return;
    }
    this.opened++;
    this.#tunnels.add(socket);
    socket.on("close", () => this.#tunnels.delete(socket));
    socket.on("error", () => {});
    const accept = createHash("sha1")
      .update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    lines.push(`Sec-WebSocket-Accept: ${accept}`, "Sec-WebSocket-Protocol: v4.channel.k8s.io");
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const port = Buffer.alloc(2);
    port.writeUInt16LE(8200);
    for (const stream of [0, 1]) socket.write(frame(stream, port));
    const inside = connect(Number(new URL(pod.address ?? "http://127.0.0.1:1").port), "127.0.0.1");
    inside.on("data", (data) => socket.write(frame(0, data)));
    inside.on("close", () => socket.end());
    inside.on("error", (error) => {
      // The kubelet's words, on the error stream.
      socket.write(frame(1, Buffer.from(`an error occurred forwarding 8200 -> 8200: ${error.message}`)));
    });
    socket.on("close", () => inside.destroy());
    readFrames(socket, inside);
  }
}

function podObject(name: string, { status, labels = {}, speaks }: FakePod): object {
  const volumes: object[] = [
    { name: "home" },
    // Kubernetes gives a pod's volumes in no order that could be relied on.
    { name: "audit", persistentVolumeClaim: { claimName: `audit-${name}` } },
    { name: "data", persistentVolumeClaim: { claimName: `data-${name}` } },
  ];
  if (speaks?.tlsSecret) volumes.push({ name: tlsVolume, secret: { secretName: speaks.tlsSecret } });
  const env = speaks && [{ name: "VAULT_ADDR", value: `${speaks.scheme}://127.0.0.1:8200` }];
  const containers = [{ name: "vault", ...(env && { env }) }];
  return { metadata: { name, uid: `uid-of-${name}`, labels }, spec: { containers, volumes }, status };
}

/** One unmasked binary frame, as a server sends. */
function frame(stream: number, data: Buffer): Buffer {
  const length = data.length + 1;
  const head = length < 126 ? Buffer.of(0x82, length) : Buffer.of(0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0);
  if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.of(stream), data]);
}

/** Passes on what a client's masked frames carry for stream 0; another kind of frame than binary ends it. */
function readFrames(socket: Duplex, inside: Socket): void {
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest.readUInt8(1) & 0x7f;
      const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
      if (rest.length < 2 + wide + 4) return;
      const length = wide === 0 ? short : wide === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      const begin = 2 + wide + 4;
      if (rest.length < begin + length) return;
      if ((rest.readUInt8(0) & 0x0f) !== 2) {
        socket.destroy();
        return;
      }
      const mask = rest.subarray(begin - 4, begin);
      const data = Buffer.from(rest.subarray(begin, begin + length));
      for (let at = 0; at < data.length; at++) data[at] = (data[at] ?? 0) ^ (mask[at % 4] ?? 0);
      inside.write(data.subarray(1));
      rest = rest.subarray(begin + length);
    }
  });
}
