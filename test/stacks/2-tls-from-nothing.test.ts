import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import { serverNames } from "../../steps/lib/certificates.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { shownCertificate } from "../../steps/lib/road.ts";
import { issueCertificate, makeAuthority } from "../../steps/lib/x509.ts";
import { secretTexts } from "../support/authority.ts";
import { ClusterTools } from "../support/cluster-tools.ts";
import { eventually, minutes, pods } from "../support/shared-stack.ts";
import {
  dockerLeftovers,
  makeTestStack,
  proposals,
  removeTestStack,
  secretOf,
  type TestStack,
} from "../support/test-stack.ts";
import { underWrites } from "../support/write-ledger.ts";

/** A stack of its own: from its first moment on, Vault speaks HTTPS, and somebody else makes and renews its certificate. */
describe("a stack whose certificate comes from a Secret that somebody else renews", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let test: TestStack;
  let tools: ClusterTools;

  before(async () => {
    test = await makeTestStack(
      { "vault.tls.source": "secret", "vault.tls.secretName": "issued", "whoami.enabled": "false" },
      "-tls",
    );
    tools = new ClusterTools(test.name, pods);
  });
  after(async () => {
    if (test === undefined) return;
    await test.stack.cancel().catch(() => {});
    await test.stack.destroy();
    await removeTestStack(test);
  });

  /** Puts a new certificate of a new authority into the Secret, as cert-manager does. */
  const issue = async (): Promise<X509Certificate> => {
    const authority = await makeAuthority("issuer");
    const { cert, key } = await issueCertificate(
      authority,
      // As companies' issuers have it: the wildcard, and no node by itself.
      serverNames({ namespace: "vault", host: "vault.localhost" }).filter((name) => !/^vault-\d/.test(name)),
    );
    await tools.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "issued", namespace: "vault" },
      type: "kubernetes.io/tls",
      stringData: secretTexts({ cert, key, caCert: authority.cert }),
    });
    return new X509Certificate(cert);
  };

  /** The nodes that show this certificate, to somebody who trusts what the Secret holds. */
  const showing = async ({ fingerprint256 }: X509Certificate): Promise<string[]> => {
    const kubeconfig = join(test.stackDir, "kubeconfig");
    const reach = { kind: "kubernetes", kubeconfig, namespace: "vault", tlsSecret: "issued" } as const;
    const road = await openRoad({ scheme: "https", reach });
    const shown = await Promise.all(
      pods.map((pod) => shownCertificate(road, pod, AbortSignal.timeout(10_000)).catch(() => undefined)),
    );
    return pods.filter((_, at) => shown[at]?.fingerprint256 === fingerprint256);
  };

  it("waits for the Secret, and is then raised with every node verified under its own name", async () => {
    const up = execa(process.execPath, ["commands/up.ts", "--stack", test.name], {
      cwd: checkout,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    await eventually(
      async () => (await tools.kubectl("get", "namespace", "vault", "--output", "name")) !== "",
      "the namespace",
    );
    const certificate = await issue();
    const { exitCode, all } = await up;
    assert.equal(exitCode, 0, all);
    assert.match(all, /tls-secret: Secret issued in namespace vault fits/);
    assert.match(all, /join vault-2: joins through https:\/\/vault-\d\.vault-internal:8200/);
    assert.match(all, /verify: 3 voters, .* a write was read back through each/);
    assert.deepEqual(await showing(certificate), pods);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("takes up a renewed certificate without Pulumi, the leader last, and loses no acknowledged write", async () => {
    const place = {
      kubeconfig: join(test.stackDir, "kubeconfig"),
      pods,
      token: String(secretOf(await test.stack.outputs(), "rootToken")),
    };
    const leader = await tools.leader();
    const order: string[] = [];
    const { acknowledged, lost } = await underWrites(place, async () => {
      const renewed = await issue();
      assert.deepEqual(await proposals(test.stack), [], "the preview right after the rotation");
      await eventually(
        async () => {
          const now = await showing(renewed);
          order.push(...now.filter((pod) => !order.includes(pod)));
          return now.length === pods.length;
        },
        "every node to show the renewed certificate",
        5 * minutes,
      );
    });
    assert.deepEqual(lost, []);
    assert.ok(acknowledged > 100, `${acknowledged} writes were acknowledged`);
    assert.equal(order.at(-1), leader);
    assert.deepEqual(await proposals(test.stack), [], "the preview after the rotation");
  });

  it("says in a preview what is wrong with a certificate that does not fit, and Vault is left alone", async () => {
    await test.stack.setConfig("vault.host", { value: "elsewhere.localhost" });
    await assert.rejects(
      test.stack.preview(),
      /\(Secret issued\) cannot be used; nothing was changed\.[\s\S]*not for elsewhere\.localhost/,
    );
    await test.stack.removeConfig("vault.host");
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("leaves nothing after destroy", async () => {
    await test.stack.destroy();
    assert.deepEqual(await dockerLeftovers(`vault-ha-${test.name}`), []);
  });
});
