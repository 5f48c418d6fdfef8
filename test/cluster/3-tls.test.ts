import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyMaterial } from "../../policy/rules/key-material.ts";
import { checkout } from "../../setup/folders.ts";
import { serverNames } from "../../steps/lib/certificates.ts";
import { snapshotFiles, snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { issueCertificate, makeAuthority } from "../../steps/lib/x509.ts";
import { formsOf } from "../support/secret-forms.ts";
import { minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";
import { seenThrough } from "../support/tls-client.ts";
import { underWrites } from "../support/write-ledger.ts";

type Shared = Awaited<ReturnType<typeof sharedStack>>;

describe("TLS, on a stack that stands", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let shared: Shared;
  let folder: string;

  before(async () => {
    shared = await sharedStack();
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const place = () => ({
    kubeconfig: join(shared.test.stackDir, "kubeconfig"),
    pods,
    token: shared.keys().rootToken,
  });

  /** The certificate that a client of this machine's port is shown, checked by it; Vault has to answer it. */
  const shown = async (ca: string): Promise<X509Certificate> => {
    const look = {
      port: shared.test.ports.vault,
      host: "localhost",
      path: "/v1/sys/health?standbyok=true",
      ca,
    };
    const { certificate, status } = await seenThrough(look);
    assert.equal(status, 200);
    return certificate;
  };
  const inSecret = () => shared.tools.certificateIn("vault-server-tls");

  it("is planned by the preview: which nodes are restarted, the one that leads last", async () => {
    await shared.test.stack.setConfig("vault.tls.enabled", { value: "true" });
    const leader = await shared.tools.leader();
    const others = pods.filter((pod) => pod !== leader);
    const { stdout } = await shared.test.stack.preview();
    shared.keep(stdout);
    assert.ok(
      stdout.includes(
        `speak HTTPS from now on: ${[...others, `${leader} (leads)`].join(", then ")} are restarted`,
      ),
      stdout,
    );
    assert.match(stdout, /update .*lifecycle-rollout|lifecycle-rollout .*update/);
  });

  it("is turned on one node at a time, the leader last, and loses no acknowledged write", async () => {
    const leader = await shared.tools.leader();
    let log = "";
    const { acknowledged, lost } = await underWrites(place(), async () => {
      const up = await shared.command("up");
      log = up.all;
      assert.equal(up.exitCode, 0, up.all);
    });
    assert.deepEqual(lost, []);
    assert.ok(acknowledged > 50, `${acknowledged} writes were acknowledged`);
    const others = pods.filter((pod) => pod !== leader);
    assert.ok(log.includes(`to be started anew: ${[...others, leader].join(", then ")}`), log);
    assert.ok(log.includes(`${leader} leads and hands over`), log);
    assert.ok(log.indexOf("rollout: snapshot ") < log.indexOf("is started anew"), log);
    assert.match(log, /rollout: every node runs Vault \d/);
    const { stackDir } = shared.test;
    assert.equal((await snapshotFiles(stackDir)).length, 1);
    // It would outlive the stack, whose end is to leave nothing.
    rmSync(snapshotFolder(stackDir), { recursive: true });
    assert.deepEqual(await proposals(shared.test.stack), []);
  });

  it("shows everybody the certificate of the stack's authority, and serves nobody over HTTP", async () => {
    const ca = shared.authority() ?? assert.fail("there is no vault-ca.crt");
    assert.equal((await shown(ca)).fingerprint256, (await inSecret()).fingerprint256);
    const { cert: other } = await makeAuthority("another");
    await assert.rejects(shown(other), /certificate/);
    const plain = await fetch(`http://127.0.0.1:${shared.test.ports.vault}/v1/sys/health`);
    assert.equal(plain.status, 400);
  });

  it("keeps the authority's key in the state, encrypted, and nowhere else", async () => {
    // Pulumi exports a state for the Automation API with its secrets in clear; on the disk they are not.
    const { deployment } = await shared.test.stack.exportStack();
    const { outputs } =
      (deployment.resources as { urn: string; outputs: { stdout: { plaintext: string } } }[]).find(
        ({ urn }) => urn.endsWith("::vault-tls-authority"),
      ) ?? assert.fail("the state knows no authority");
    const { key } = JSON.parse(JSON.parse(outputs.stdout.plaintext));
    const authority = new X509Certificate(shared.authority() ?? "");
    assert.ok(authority.checkPrivateKey(createPrivateKey(key)));
    const [, line = ""] = key.split("\n");
    assert.equal(line.length, 64);
    assert.deepEqual(await shared.scan.find({ shares: [], rootToken: line }), []);
    const objects = await shared.tools.kubectl(
      ...["get", "secrets,configmaps,pods", "--all-namespaces", "--output", "json"],
    );
    for (const { form, bytes } of formsOf(line))
      assert.ok(!objects.includes(bytes.toString()), `it stands ${form} in the cluster`);
  });

  it("renews without a restart, the leader last, and loses no acknowledged write", async () => {
    const leader = await shared.tools.leader();
    const containers = await shared.containers();
    const before = await inSecret();
    let log = "";
    const { acknowledged, lost } = await underWrites(place(), async () => {
      const urn = `urn:pulumi:${shared.test.name}::vault-ha::vault-ha:vault:VaultRelease$vault-ha:vault:VaultTls$command:local:Command::vault-tls-certificate`;
      await shared.test.stack.up({
        replace: [urn],
        onOutput: (text) => {
          log += text;
          shared.keep(text);
        },
      });
    });
    assert.deepEqual(lost, []);
    assert.ok(acknowledged > 20, `${acknowledged} writes were acknowledged`);
    const after = await inSecret();
    assert.notEqual(after.fingerprint256, before.fingerprint256);
    assert.equal((await shown(shared.authority() ?? "")).fingerprint256, after.fingerprint256);
    assert.deepEqual(await shared.containers(), containers);
    assert.deepEqual(await snapshotFiles(shared.test.stackDir), []);
    const order = [...log.matchAll(/rollout: (vault-\d) shows its new certificate/g)].map(([, pod]) => pod);
    assert.deepEqual([...new Set(order)], [...pods.filter((pod) => pod !== leader), leader]);
    assert.deepEqual(await proposals(shared.test.stack), []);
  });

  it("keeps to the policy pack as it stands; the pack would know its keys in a plain output", async () => {
    const found: string[] = [];
    await shared.test.stack.preview({
      policyPacks: [join(checkout, "policy")],
      onEvent: ({ policyEvent }) => policyEvent && found.push(policyEvent.message),
    });
    assert.deepEqual(found, []);
    const { shares, rootToken } = shared.keys();
    for (const text of [...shares, rootToken]) {
      const resource = { name: "any", props: {}, plain: { text } };
      assert.equal(keyMaterial.find(resource, { name: shared.test.name, settings: undefined }).length, 1);
    }
  });

  it("refuses a certificate that cannot be used, with every reason, before anything is changed", async () => {
    const names = serverNames({ namespace: "vault", host: "elsewhere.localhost" });
    const authority = await makeAuthority("of somebody's own");
    const { cert } = await issueCertificate(authority, names);
    const { key } = await issueCertificate(authority, names);
    const files = { certFile: cert, keyFile: key, caFile: (await makeAuthority("another")).cert };
    const config = Object.entries(files).map(([name, pem]) => {
      writeFileSync(join(folder, name), pem, { mode: 0o600 });
      return [`vault.tls.${name}`, { value: join(folder, name) }] as const;
    });
    const { stack } = shared.test;
    await stack.setAllConfig(Object.fromEntries([...config, ["vault.tls.source", { value: "files" }]]));
    const { exitCode, all } = await shared.command("up");
    for (const key of [...config.map(([key]) => key), "vault.tls.source"]) await stack.removeConfig(key);
    assert.notEqual(exitCode, 0, all);
    for (const reason of [
      /cannot be used; nothing was changed/,
      /the private key is not that of the certificate/,
      /not for vault\.localhost; it is for .*DNS:elsewhere\.localhost/,
      /the authority did not sign the certificate/,
    ])
      assert.match(all, reason);
    assert.deepEqual(await proposals(stack), []);
  });
});
