import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands before a Vault of an older version, and asks for a token where Vault does from 2.0 on: at everything under
 * sys/generate-root (CVE-2026-5807). Any token that looks itself up is good enough.
 */
export async function asVaultTwo(target: string): Promise<{ address: string; end(): Promise<void> }> {
  const isGood = async (token: string | undefined) =>
    token !== undefined &&
    (await fetch(`${target}/v1/auth/token/lookup-self`, { headers: { "x-vault-token": token } })).ok;
  const server = createServer(async (incoming, outgoing) => {
    const { method, url = "", headers } = incoming;
    const token = headers["x-vault-token"];
    if (url.startsWith("/v1/sys/generate-root/") && !(await isGood(token?.toString()))) {
      outgoing.writeHead(403).end(JSON.stringify({ errors: ["permission denied"] }));
      return;
    }
    const passed = request(target + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    end: async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
