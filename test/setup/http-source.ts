import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A local HTTP server that plays a download site. */
export interface HttpSource {
  url: string;
  /** Paths asked for so far, in order. */
  asked: string[];
  close(): Promise<void>;
}

/** Starts a server on a free port of loopback. */
export async function playSource(answer: RequestListener): Promise<HttpSource> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}
