/** Ports for servers that tests start: free now, and still free when the server comes to listen. */
import { createServer } from "node:net";

/**
 * Below the range from which Linux gives a port to each outgoing connection: 32768 to 60999. Files of tests that run
 * beside each other (mocha --parallel), and stages that do (stages.ts), have a part each: a port is free until its server
 * listens.
 */
const parts = 4;
const part = 2_500;
const own = Number(process.env.VAULT_HA_TEST_PART ?? process.env.MOCHA_WORKER_ID ?? 0);
const first = 20_000 + (own % parts) * part;
const end = first + part;

/** Where to look next. Two test runs begin at different places, and one never gives a port twice in a row. */
let next = first + (process.pid % 250) * 10;

/** Ports of 127.0.0.1 that nobody holds; all different. */
export async function freePorts(count: number): Promise<number[]> {
  const free: number[] = [];
  while (free.length < count) {
    const port = next;
    next = port + 1 < end ? port + 1 : first;
    if (await isFree(port)) free.push(port);
  }
  return free;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
