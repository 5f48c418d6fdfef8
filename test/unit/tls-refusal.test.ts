import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { openRoad } from "../../steps/lib/reach.ts";
import { shownCertificate } from "../../steps/lib/road.ts";
import { type TlsProblem, TlsRefusal } from "../../steps/lib/tls-refusal.ts";
import type { TlsSecret } from "../../steps/lib/tls-secret.ts";
import { Authority } from "../support/authority.ts";

/** A node's listener on loopback, and what a look at its certificate gives. */
describe("a TLS connection to a node", () => {
  let authority: Authority;
  const servers: Server[] = [];

  before(async () => {
    authority = await Authority.make();
  });
  after(() => {
    for (const server of servers) server.close();
  });

  const look = async (server: Server, caCert = authority.caCert) => {
    servers.push(server.listen(0, "127.0.0.1"));
    await once(server, "listening");
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const road = await openRoad({
      scheme: "https",
      caCert,
      reach: { kind: "direct", addresses: { "vault-0": address } },
    });
    return shownCertificate(road, "vault-0", AbortSignal.timeout(5_000));
  };
  const serving = ({ cert, key }: TlsSecret) => {
    const server = createTlsServer({ cert, key });
    // What a client says that goes away.
    server.on("tlsClientError", () => {});
    return server;
  };
  const refused = (problem: TlsProblem, words: RegExp, looking: Promise<unknown>) =>
    assert.rejects(looking, (error) => {
      assert.ok(error instanceof TlsRefusal, String(error));
      assert.equal(error.problem, problem);
      assert.match(error.message, words);
      return true;
    });

  it("gives the certificate that was verified", async () => {
    const shown = await look(serving(await authority.issue()));
    assert.match(shown?.subjectAltName ?? "", /DNS:vault-0\.vault-internal/);
  });

  it("is refused with a certificate that has expired", async () => {
    await refused("expired", /has expired/, look(serving(await authority.issue({ from: -9, until: -1 }))));
  });

  it("is refused with a certificate that is not valid yet", async () => {
    await refused("not yet valid", /not valid yet/, look(serving(await authority.issue({ from: 1 }))));
  });

  it("is refused with a certificate of another authority", async () => {
    const other = await Authority.make("another");
    await refused(
      "of another authority",
      /not signed by the authority that is trusted/,
      look(serving(await other.issue())),
    );
  });

  it("is refused with a certificate for other names, which are told", async () => {
    const wrong = await authority.issue({ names: ["vault-1.vault-internal", "localhost"] });
    await refused(
      "for other names",
      /not for vault-0\.vault-internal; it is for DNS:vault-1\.vault-internal, DNS:localhost$/,
      look(serving(wrong)),
    );
  });

  it("is refused by what speaks HTTP", async () => {
    const http = createTcpServer((socket) => socket.end("HTTP/1.0 400 Bad Request\r\n\r\n"));
    await refused("no TLS", /does not speak TLS/, look(http));
  });

  it("fails as any other where nobody listens", async () => {
    const road = await openRoad({
      scheme: "https",
      reach: { kind: "direct", addresses: { "vault-0": "https://127.0.0.1:1" } },
    });
    await assert.rejects(shownCertificate(road, "vault-0", AbortSignal.timeout(5_000)), /ECONNREFUSED/);
  });
});
