import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { checkout, local } from "../../setup/folders.ts";
import { loadSources } from "../../sources.ts";
import { ClusterTools } from "../support/cluster-tools.ts";
import { runCommandOn } from "../support/outside-cluster.ts";
import { SecretScan } from "../support/secret-scan.ts";
import { eventually, minutes, pods } from "../support/shared-stack.ts";
import {
  dockerLeftovers,
  makeTestStack,
  proposals,
  removeTestStack,
  secretOf,
  type TestStack,
} from "../support/test-stack.ts";

/** The policy of docs/seal.md, as it stands there. */
const policy = /```hcl\n([\s\S]*?)```/.exec(readFileSync("docs/seal.md", "utf8"))?.[1] ?? "";

/** A stack of its own, from nothing, whose seal is another Vault's transit engine: one in development mode, in its cluster. */
describe("a stack whose nodes unseal themselves by another Vault", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let test: TestStack;
  let tools: ClusterTools;
  let scan: SecretScan;
  let sealToken = "";

  before(async () => {
    scan = new SecretScan();
    test = await makeTestStack(
      {
        "whoami.enabled": "false",
        "vault.tls.enabled": "false",
        "vault.seal.type": "transit",
        "vault.seal.address": "http://other-vault.vault.svc:8200",
        "vault.seal.mount_path": "transit/",
        "vault.seal.key_name": "vault-unseal",
        "vault.seal.secret": "vault-seal",
      },
      "-seal",
    );
    tools = new ClusterTools(test.name, pods);
  });
  after(async () => {
    scan?.end();
    if (test === undefined) return;
    await test.stack.cancel().catch(() => {});
    await test.stack.destroy();
    await removeTestStack(test);
  });

  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "other-vault" },
    spec: { selector: { app: "other-vault" }, ports: [{ port: 8200 }] },
  };

  /** Raises the other Vault, and makes the key and the token by the commands of docs/seal.md. */
  const raiseOther = async (): Promise<void> => {
    const { repository, tag } = loadSources(local.sources).vault.image;
    const rootToken = randomBytes(16).toString("hex");
    const env = [
      { name: "VAULT_DEV_ROOT_TOKEN_ID", value: rootToken },
      { name: "VAULT_TOKEN", value: rootToken },
      { name: "VAULT_ADDR", value: "http://127.0.0.1:8200" },
    ];
    const container = {
      ...{ name: "vault", image: `${repository}:${tag}`, env },
      command: ["vault", "server", "-dev", "-dev-no-store-token", "-dev-listen-address=0.0.0.0:8200"],
    };
    await tools.apply({
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "other-vault", labels: { app: "other-vault" } } },
      spec: { containers: [container], terminationGracePeriodSeconds: 0 },
    });
    await tools.apply(service);
    const exec = async (command: string, input = "") => {
      const args = ["exec", "-i", "other-vault", "--", "sh", "-c", command];
      const where = ["--kubeconfig", tools.kubeconfig, "--namespace", "vault"];
      return (await execa("kubectl", [...where, ...args], { input })).stdout;
    };
    await eventually(async () => (await exec("vault status")) !== "", "the other Vault to answer");
    await exec("vault secrets enable transit");
    await exec("vault write -f transit/keys/vault-unseal");
    await exec("cat > /tmp/vault-unseal.hcl", policy);
    await exec("cd /tmp && vault policy write vault-unseal vault-unseal.hcl");
    sealToken = await exec("vault token create -orphan -policy=vault-unseal -period=24h -field=token");
    assert.match(sealToken, /^hvs\.\S+$/);
    // As `kubectl create secret generic vault-seal --from-file VAULT_TOKEN` makes it.
    await tools.apply({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "vault-seal" } },
      stringData: { VAULT_TOKEN: sealToken },
    });
  };

  const journal = () => JSON.parse(readFileSync(join(test.stackDir, "vault-init.json"), "utf8"));
  const ready = async (pod: string) =>
    (await tools.kubectl(
      "get",
      "pod",
      pod,
      "--output",
      'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
    )) === "True";

  it("waits for its Secret, and is then raised without one share sent", async () => {
    const up = execa(process.execPath, ["commands/up.ts", "--stack", test.name], {
      ...{ cwd: checkout, reject: false, all: true, stdin: "ignore" },
    });
    const namespace = () => tools.kubectl("get", "namespace", "vault", "--output", "name");
    await eventually(async () => (await namespace()) !== "", "the namespace", 4 * minutes);
    await raiseOther();
    const { exitCode, all } = await up;
    scan.keep(all);
    assert.equal(exitCode, 0, all);
    assert.match(all, /seal-secret: Secret vault-seal in namespace vault is there/);
    assert.match(all, /init vault-0: initialised with 5 recovery shares/);
    assert.match(all, /unseal vault-2: its seal \(transit\) has unsealed it/);
    assert.match(all, /verify: 3 voters, .* a write was read back through each/);
    const outputs = await test.stack.outputs();
    const shares = secretOf(outputs, "recoveryShares");
    assert.deepEqual([journal().seal, journal().answer.shares], ["transit", shares]);
    assert.equal(outputs.shares?.value, null);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("has a pod that is killed unseal itself, with no update, and a preview that stays empty", async () => {
    const leader = await tools.leader();
    await tools.deletePods(leader);
    await eventually(() => ready(leader), `${leader} to be ready again`);
    await eventually(async () => (await tools.looks.status()).exitCode === 0, "status to be well");
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("names the seal as the cause where it is away, and needs nobody when it is back", async () => {
    const [follower = ""] = await tools.followers();
    await tools.kubectl("delete", "service", "other-vault");
    await tools.deletePods(follower);
    const { finding } = await tools.looks.finding(({ id }) => id === "seal-not-reached", "the seal is away");
    assert.deepEqual(finding.nodes, [follower]);
    assert.match(JSON.stringify(finding.evidence), /parsing Seal configuration/);
    await tools.apply(service);
    await eventually(() => ready(follower), `${follower} to be ready again`);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("refuses another key, in a preview and in an update by hand, and changes nothing", async () => {
    const config = () => tools.kubectl("get", "configmap", "vault-config", "--output", "yaml");
    const before = await config();
    await test.stack.setConfig("vault.seal.key_name", { value: "another" });
    const preview = await runCommandOn(test.name, "preview");
    scan.keep(preview.all);
    assert.match(preview.all, /destructive: No node would be unsealed again/);
    await assert.rejects(
      test.stack.up(),
      /sealed by transit transit\/vault-unseal, and the settings say transit transit\/another[\s\S]*Nothing was changed/,
    );
    assert.equal(await config(), before);
    await test.stack.setConfig("vault.seal.key_name", { value: "vault-unseal" });
    await test.stack.up();
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("has its token in the Secret and nowhere else, and its recovery shares in the journal alone", async () => {
    const { shares, rootToken } = journal().answer;
    assert.deepEqual(await scan.find({ shares, rootToken }), []);
    for (const kind of ["configmap", "pod", "statefulset"])
      assert.ok(!(await tools.kubectl("get", kind, "--output", "yaml")).includes(sealToken), kind);
    const files = readdirSync(local.root, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    assert.ok(files.length > 10);
    for (const { parentPath, name } of files)
      assert.ok(!readFileSync(join(parentPath, name)).includes(sealToken), join(parentPath, name));
  });

  it("leaves nothing after destroy", async () => {
    await test.stack.destroy();
    assert.deepEqual(await dockerLeftovers(`vault-ha-${test.name}`), []);
  });
});
