import assert from "node:assert/strict";
import { readSettings, type Settings } from "../../config.ts";
import { placeOf } from "../../operate/tour/place.ts";

describe("where a tour goes", () => {
  const settings = (given: Record<string, string> = {}) => readSettings(given).settings as Settings;

  it("is the port of Vault's own service, under a name that the certificate is for", () => {
    assert.deepEqual(placeOf(settings(), "port", "https", "ca.crt"), {
      address: "https://localhost:30000",
      ip: "127.0.0.1",
      caFile: "ca.crt",
    });
  });

  it("is Vault's host at the ingress's port for its scheme; without TLS nobody is trusted", () => {
    const given = settings({ "vault.host": "vault.example.org", "cluster.ports.https": "443" });
    assert.equal(placeOf(given, "ingress", "https", "ca.crt").address, "https://vault.example.org:443");
    assert.deepEqual(placeOf(given, "ingress", "http", "ca.crt"), {
      address: "http://vault.example.org:8080",
      ip: "127.0.0.1",
    });
  });

  it("is reached at the address on which the cluster listens, and at loopback where that is every address", () => {
    const ip = (listenAddress: string) =>
      placeOf(settings({ "cluster.listenAddress": listenAddress }), "port", "http", "").ip;
    assert.deepEqual(["192.0.2.7", "0.0.0.0", "::"].map(ip), ["192.0.2.7", "127.0.0.1", "127.0.0.1"]);
  });
});
