import assert from "node:assert/strict";
import type { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { loadSources } from "../../sources.ts";
import { eventually, getWithHost, minutes, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";
import { seenThrough } from "../support/tls-client.ts";

type Shared = Awaited<ReturnType<typeof sharedStack>>;

/** The controllers, each with what it answers to plain HTTP under Vault's host. */
const controllers = { nginx: /^Error: 400: .*HTTPS server/, traefik: /^Error: 404: / };

for (const [controller, toPlainHttp] of Object.entries(controllers))
  describe(`the edge of a stack that speaks HTTPS, behind ${controller}`, function () {
    this.timeout(5 * minutes);
    this.bail(true);
    let shared: Shared;
    before(async () => {
      shared = await sharedStack();
      assert.ok(shared.authority(), "Vault speaks no HTTPS");
    });

    const http = (path = "") => `http://127.0.0.1:${shared.test.ports.http}${path}`;

    /** What a client of the https port sees under a host name, with Vault's authority as the only one it trusts. */
    const behind = (host: string) =>
      seenThrough({
        port: shared.test.ports.https,
        host,
        path: "/v1/sys/health",
        ca: shared.authority(),
      });

    it("stands after an update that changes the controller alone, if that", async () => {
      await shared.test.stack.setConfig("ingress.controller", { value: controller });
      const proposed = await proposals(shared.test.stack);
      assert.deepEqual(proposed, controller === "nginx" ? [] : ["update ingress-release"]);
      await shared.test.stack.up({ onOutput: shared.keep });
      const images = await shared.tools.kubectl(
        ...[
          "get",
          "pods",
          "--namespace",
          "ingress-nginx",
          "--output",
          "jsonpath={.items[*].spec.containers[*].image}",
        ],
      );
      assert.match(images, controller === "nginx" ? /ingress-nginx/ : /traefik:v3/);
    });

    it("ends TLS at Vault: the client of the https port is shown the certificate of the Secret", async () => {
      const inSecret = await shared.tools.certificateIn("vault-server-tls");
      let seen: X509Certificate | undefined;
      await eventually(async () => {
        seen = (await behind("vault.localhost")).certificate;
        return true;
      }, "Vault's leader to answer behind the ingress");
      assert.equal(seen?.fingerprint256, inSecret.fingerprint256);
    });

    it("serves the node that leads there", async () => {
      const { status, body } = await behind("vault.localhost");
      const { initialized, sealed, standby } = JSON.parse(body);
      assert.deepEqual([status, initialized, sealed, standby], [200, true, false, false]);
    });

    it("shows Vault's certificate under no other host: a client that trusts Vault's authority refuses it", async () => {
      for (const host of ["whoami.localhost", "nobody.localhost"])
        await assert.rejects(behind(host), (error: NodeJS.ErrnoException) => {
          // Another authority's, or one of its own: either way not what Vault's authority has signed.
          assert.match(error.code ?? "", /DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
          return true;
        });
    });

    it("does not pass plain HTTP on to Vault", async () => {
      await assert.rejects(getWithHost(http("/v1/sys/health"), "vault.localhost"), toPlainHttp);
    });

    it("serves the test application over HTTP as before", async () => {
      const body = await getWithHost(http("/hello"), "whoami.localhost");
      for (const line of [/^Hostname: whoami-/m, /^IP: \d/m, /^RemoteAddr: \d/m, /^GET \/hello HTTP\/1\.1$/m])
        assert.match(body, line);
      assert.match(body, /^X-Forwarded-Host: whoami\.localhost/im);
    });
  });

describe("the edge, at the end", function () {
  this.timeout(5 * minutes);
  this.bail(true);
  let shared: Shared;
  before(async () => {
    shared = await sharedStack();
  });

  it("goes back to ingress-nginx", async () => {
    await shared.test.stack.removeConfig("ingress.controller");
    await shared.test.stack.up({ onOutput: shared.keep });
    await eventually(
      async () =>
        (await getWithHost(`http://127.0.0.1:${shared.test.ports.http}/`, "whoami.localhost")) !== "",
      "ingress-nginx to serve the test application",
    );
    assert.deepEqual(await proposals(shared.test.stack), []);
  });

  it("refuses values of the ingress that cannot be served, by name, and changes nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    const { stack } = shared.test;
    try {
      const file = join(folder, "ingress.yaml");
      writeFileSync(
        file,
        stringify({
          controller: { hostPort: { enabled: false }, service: { type: "LoadBalancer" } },
          tcp: { 6379: "default/redis:6379" },
        }),
      );
      await stack.setConfig("ingress.valuesFile", { value: file });
      const { exitCode, all } = await shared.command("up");
      assert.notEqual(exitCode, 0, all);
      assert.match(all, /The ingress's Helm values cannot be used; nothing was changed/);
      for (const key of ["controller.hostPort.enabled", "controller.service.type"])
        assert.ok(all.includes(`${file}: ${key}: `), all);
      // The official image can serve it.
      const servesTcp = loadSources().images === "official";
      assert.equal(all.includes(`${file}: tcp.6379: "default/redis:6379" cannot be served`), !servesTcp, all);
    } finally {
      await stack.removeConfig("ingress.valuesFile");
      rmSync(folder, { recursive: true });
    }
    assert.deepEqual(await proposals(stack), []);
  });
});
