import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Place } from "../../operate/tour/place.ts";
import { makeAuthority } from "../../steps/lib/x509.ts";
import { freePorts } from "../support/free-ports.ts";
import { type Taken, TouredVault } from "../support/toured.ts";
import { VaultNodes } from "../support/vault-nodes.ts";

describe("a tour that cannot begin says why, and what to type next", function () {
  this.timeout(60_000);
  let vault: TouredVault;
  before(async () => {
    vault = await TouredVault.start("https");
  });
  after(async function () {
    await vault?.end(this);
  });

  const assertEnded = ({ error, told }: Taken, steps: number, next: "up" | "doctor", words: RegExp) => {
    assert.match(error?.message ?? "", words);
    assert.equal(error?.next, `npm run ${next}`);
    assert.equal(told.length, steps);
  };
  const at = (place: Partial<Place>) => vault.take({ place: { ...vault.toured.place, ...place } });

  it("where nothing listens", async () => {
    const [port] = await freePorts(1);
    const taken = await at({ address: `https://localhost:${port}` });
    assertEnded(
      taken,
      0,
      "doctor",
      /^Vault did not answer GET https:\/\/localhost:\d+\/v1\/sys\/health.*ECONNREFUSED 127\.0\.0\.1/,
    );
  });

  it("where something else answers, as an ingress does that knows no such host", async () => {
    const page =
      "<html><head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body></html>";
    const server = createServer((_, response) => response.writeHead(404).end(page)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const taken = await at({ address: `http://vault.localhost:${port}` });
    server.close();
    assertEnded(
      taken,
      0,
      "doctor",
      /^what answered GET http:.* is not Vault: 404, "404 Not Found 404 Not Found"$/,
    );
  });

  it("where the certificate is of another authority, and which one was trusted", async () => {
    const caFile = join(vault.stack.nodes.folder, "other.crt");
    writeFileSync(caFile, (await makeAuthority("other")).cert);
    assertEnded(
      await at({ caFile }),
      0,
      "doctor",
      /\(trusting .*other\.crt\): its certificate is not signed by the authority that is trusted/,
    );
  });

  it("where the certificate is not for the host, though its authority is trusted", async () => {
    const address = vault.toured.place.address.replace("localhost", "vault.example.org");
    assertEnded(
      await at({ address }),
      0,
      "doctor",
      /its certificate is not for vault\.example\.org; it is for DNS:vault-0/,
    );
  });

  it("where the authority's file is not there", async () => {
    const { error } = await at({ caFile: "no/such/ca.crt" });
    assert.match(error?.message ?? "", /^cannot read the authority .*no\/such\/ca\.crt/);
  });

  it("where Vault speaks HTTP to one who expects TLS", async () => {
    const address = vault.toured.place.address.replace("https", "http");
    assertEnded(
      await at({ address }),
      0,
      "doctor",
      /is not Vault: 400, "Client sent an HTTP request to an HTTPS server\."/,
    );
  });

  it("where the token is none of this Vault's", async () => {
    assertEnded(
      await vault.take({ token: "hvs.another" }),
      3,
      "doctor",
      /does not take the stack's root token/,
    );
  });

  it("where Vault is not initialised", async () => {
    const nodes = await VaultNodes.start(1);
    try {
      const address = nodes.at(0).address;
      const taken = await at({ address });
      assertEnded(taken, 1, "up", /^Vault at http:\/\/127\.0\.0\.1:\d+ is not initialised\.$/);
      assert.deepEqual(taken.told[0]?.answer, { initialized: false, sealed: true });
    } finally {
      await nodes.end();
    }
  });

  it("where Vault is sealed", async () => {
    await vault.node.restart();
    const taken = await at({});
    assertEnded(taken, 1, "up", /^The Vault node that answers at https:\/\/localhost:\d+ is sealed\.$/);
    assert.equal(taken.told[0]?.status, 503);
  });
});
