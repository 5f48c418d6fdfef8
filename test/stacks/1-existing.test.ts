import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { rotation } from "../../operate/doctor/rotation.ts";
import { openVault, vaultKeys } from "../../operate/open-vault.ts";
import { openSubject } from "../../operate/views/subject.ts";
import { poll } from "../../setup/processes.ts";
import { containerIdentities } from "../../steps/lib/pods.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { OutsideCluster, runCommandOn } from "../support/outside-cluster.ts";
import { eventually, minutes, pods } from "../support/shared-stack.ts";
import { makeTestStack, proposals, removeTestStack, type TestStack } from "../support/test-stack.ts";
import { underWrites } from "../support/write-ledger.ts";

/** As in Pulumi.prod.yaml, but for what a small cluster of three nodes cannot give. */
const settings = {
  "cluster.driver": "existing",
  "vault.storageSize": "1Gi",
  "audit.enabled": "true",
  "telemetry.enabled": "true",
  "teardown.protected": "true",
};

describe("a stack on a cluster that this program did not make", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let cluster: OutsideCluster;
  let test: TestStack;
  let asItWas: string[];
  const values = join(tmpdir(), `vault-ha-values-${process.pid}.yaml`);
  const run = (name: string, ...args: string[]) => runCommandOn(test.name, name, ...args);

  before(async () => {
    cluster = await OutsideCluster.shared();
    // What an earlier test took out of it may still be on its way.
    await eventually(async () => {
      asItWas = await cluster.objects();
      return !asItWas.some((object) => object.startsWith("PersistentVolume/"));
    }, "a cluster without volumes");
    // Production's example; but three workers hold five pods only where two may be on one.
    const example = parse(readFileSync("examples/prod-values.yaml", "utf8"));
    writeFileSync(values, stringify({ server: { ...example.server, affinity: "" } }));
    test = await makeTestStack(
      {
        ...settings,
        "cluster.context": "limited",
        "cluster.kubeconfig": await cluster.limitedLogin("deployer"),
        "vault.valuesFile": values,
      },
      "-existing",
    );
  });
  after(async () => {
    if (test !== undefined) {
      await test.stack.cancel().catch(() => {});
      await run("down", "--confirm", test.name);
      await removeTestStack(test);
    }
  });

  const keys = async () => {
    const found = await vaultKeys(await openVault(test.name));
    return found ?? assert.fail("the stack has no keys");
  };
  /** Asks Vault's first node with the root token. */
  const vault = async <T>(ask: (vault: Vault) => Promise<T>): Promise<T> => {
    const { road } = await openVault(test.name);
    const { rootToken } = await keys();
    const client = new Vault(road, "vault-0", { signal: AbortSignal.timeout(20_000) }, rootToken);
    return ask(client).finally(() => client.close());
  };

  it("names every right that the login lacks, all at once, and changes nothing", async () => {
    const refused = await run("up");
    assert.notEqual(refused.exitCode, 0);
    for (const line of [
      "the login system:serviceaccount:default:deployer lacks these rights",
      "persistentvolumeclaims: get, list, delete (in namespace vault)",
      "namespaces vault: get, watch, patch (in the whole cluster)",
      "clusterroles system:auth-delegator: bind (in the whole cluster)",
    ])
      assert.ok(refused.all.includes(line), `${line} is missing in:\n${refused.all}`);
    const account = "ServiceAccount/default/deployer";
    assert.deepEqual(
      (await cluster.objects()).filter((object) => object !== account),
      asItWas,
    );
  });

  it("is raised with the very rights that the role grants which was written for it", async () => {
    await cluster.kubectl("create", "namespace", "vault");
    await cluster.kubectl("label", "namespace", "vault", `vault-ha/stack=${test.name}`);
    await cluster.kubectl("apply", "--filename", join(test.stackDir, "missing-rights.yaml"));
    const up = await run("up", "--json");
    assert.equal(up.exitCode, 0, up.all);
    const { peers, vaultAddress } = JSON.parse(up.stdout);
    assert.equal(peers.length, 3);
    assert.equal(vaultAddress, "https://vault.vault.svc:8200");
    assert.equal(existsSync(join(test.stackDir, "missing-rights.yaml")), false);
    assert.deepEqual(await proposals(test.stack), []);
    assert.equal((await run("status")).exitCode, 0);
    await vault((client) => client.write("kept", "through the end"));
  });

  it("spreads the nodes over the zones, and lets one at a time be drained", async () => {
    const budget = "jsonpath={.spec.maxUnavailable}";
    assert.equal(
      await cluster.kubectl("get", "pdb", "vault", "--namespace", "vault", "--output", budget),
      "1",
    );
    const where = "jsonpath={.items[*].spec.nodeName}";
    const nodes = await cluster.kubectl("get", "pods", "--namespace", "vault", "--output", where);
    assert.equal(new Set(nodes.split(" ")).size, 3);
  });

  it("unseals a pod that was started again, and its preview is empty then", async () => {
    const kubeconfig = join(test.stackDir, "kubeconfig");
    const containers = () => containerIdentities(kubeconfig, "vault", pods, { waitSeconds: 60 });
    const { "vault-1": old } = await containers();
    await cluster.kubectl("delete", "pod", "vault-1", "--namespace", "vault", "--grace-period=1");
    await eventually(async () => ![old, "not running"].includes((await containers())["vault-1"]), "vault-1");
    assert.ok((await proposals(test.stack)).includes("update lifecycle-unseal-vault-1"));
    const up = await run("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /unseal vault-1: unsealed/);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("writes an audit log at each node", async () => {
    const tail = [
      "exec",
      "vault-0",
      "--namespace",
      "vault",
      "--",
      "tail",
      "-n",
      "1",
      "/vault/audit/audit.log",
    ];
    assert.match(await cluster.kubectl(...tail), /"type":"(request|response)"/);
  });

  it("has its audit log rotated by the doctor's commands, without a restart", async () => {
    const log = "/vault/audit/audit.log";
    const inPod = (...command: string[]) =>
      cluster.kubectl("exec", "vault-0", "--namespace", "vault", "--", ...command);
    const before = await containerIdentities(join(test.stackDir, "kubeconfig"), "vault", pods, {
      waitSeconds: 0,
    });
    const subject = await openSubject(test.name);
    for (const line of rotation(subject, "vault-0", log)) await execa("sh", ["-c", line]);
    const copy = join(test.stackDir, "vault-0-audit.log.1");
    const old = readFileSync(copy, "utf8");
    // Else the stack's folder would stay at the end, for the log's sake.
    rmSync(copy);
    assert.match(old, /"type":"response".*\n$/);
    assert.equal((await inPod("ls", "/vault/audit")).trim(), "audit.log");
    assert.ok(Number((await inPod("stat", "-c", "%s", log)).trim()) < old.length);
    await vault((client) => client.auditDevices());
    assert.deepEqual(
      await containerIdentities(join(test.stackDir, "kubeconfig"), "vault", pods, { waitSeconds: 0 }),
      before,
    );
  });

  it("has the doctor find that its audit device was disabled, and the status agrees", async () => {
    const ids = async (name: "doctor" | "status") => {
      const { stdout } = await run(name, "--json");
      const { findings = [], disagreements = findings } = JSON.parse(stdout);
      return disagreements.map(({ id }: { id: string }) => id);
    };
    await vault((client) => client.ask(z.unknown(), "DELETE", "sys/audit/file"));
    assert.ok((await ids("doctor")).includes("audit-off"));
    assert.deepEqual(await ids("status"), ["audit-off"]);
    await vault((client) => client.enableAuditFile("/vault/audit/audit.log"));
    assert.deepEqual(await ids("status"), []);
    assert.ok(!(await ids("doctor")).includes("audit-off"));
  });

  it("tells each node's metrics to whoever asks, over TLS", async () => {
    const { road } = await openVault(test.name);
    for (const pod of pods) {
      const client = new Vault(road, pod, { signal: AbortSignal.timeout(20_000) });
      const Gauges = z.object({
        Gauges: z.array(
          z.object({ Name: z.string(), Value: z.number(), Labels: z.record(z.string(), z.string()) }),
        ),
      });
      const { Gauges: gauges } = await client.ask(Gauges, "GET", "sys/metrics").finally(() => client.close());
      const own = gauges.find(({ Name }) => Name === "vault.raft_storage.stats.applied_index");
      assert.equal(own?.Labels.peer_id, pod);
    }
  });

  it("has its ServiceMonitor made by the first update after the cluster knows what that is, with its right", async () => {
    const monitors = ["get", "servicemonitors", "--all-namespaces", "--output", "name"];
    await assert.rejects(cluster.kubectl(...monitors), /doesn't have a resource type/);
    await cluster.kubectl("apply", "--filename", "test/support/service-monitors.yaml");
    await cluster.kubectl("wait", "--for=condition=Established", "crd/servicemonitors.monitoring.coreos.com");
    const refused = await run("up");
    assert.notEqual(refused.exitCode, 0);
    assert.match(
      refused.all,
      /servicemonitors: get, list, watch, create, update, patch, delete \(in namespace vault\)/,
    );
    await cluster.kubectl("apply", "--filename", join(test.stackDir, "missing-rights.yaml"));
    const up = await run("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.equal(await cluster.kubectl(...monitors), "servicemonitor.monitoring.coreos.com/vault");
    assert.deepEqual(await proposals(test.stack), []);
    // What it points at: the service by these labels has each pod, and this port.
    const found = async (...get: string[]) => JSON.parse(await cluster.kubectl(...get, "--output", "json"));
    const { spec } = await found("get", "servicemonitor", "vault", "--namespace", "vault");
    const labels = Object.entries(spec.selector.matchLabels).map((each) => each.join("="));
    const { items } = await found("get", "services", "--namespace", "vault", "--selector", labels.join());
    assert.deepEqual(
      items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
      ["vault-internal"],
    );
    assert.ok(items[0].spec.ports.some(({ name }: { name: string }) => name === spec.endpoints[0].port));
  });

  it("grows to five voters and shrinks to three again under writes, of which none is lost", async () => {
    const place = { kubeconfig: join(test.stackDir, "kubeconfig"), pods, token: (await keys()).rootToken };
    const kept = await underWrites(place, async () => {
      await test.stack.setConfig("vault.replicas", { value: "5" });
      const grown = await run("up", "--json");
      assert.equal(grown.exitCode, 0, grown.all);
      assert.equal(JSON.parse(grown.stdout).peers.length, 5);
      assert.deepEqual(await proposals(test.stack), []);

      await test.stack.setConfig("vault.replicas", { value: "3" });
      assert.ok((await proposals(test.stack)).includes("update vault-leave"));
      const shrunk = await run("up", "--json");
      assert.equal(shrunk.exitCode, 0, shrunk.all);
      assert.equal(JSON.parse(shrunk.stdout).peers.length, 3);
      assert.match(shrunk.all, /leave: vault-\d leaves: 5 peers become 4/);
      assert.deepEqual(await proposals(test.stack), []);
    });
    assert.deepEqual(kept.lost, []);
    assert.ok(kept.acknowledged > 100, `${kept.acknowledged} writes were acknowledged`);
    const claims = await cluster.kubectl("get", "pvc", "--namespace", "vault", "--output", "name");
    assert.doesNotMatch(claims, /vault-[34]/);
  });

  it("is not destroyed by somebody who does not name it", async () => {
    const refused = await run("down");
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.all,
      /is protected \(teardown\.protected\)\. It has to be named[\s\S]*--confirm dev-test-/,
    );
    await assert.rejects(test.stack.destroy(), /protected/);
    // On a busy machine a follower may have been late for once.
    await eventually(async () => (await run("status")).exitCode === 0, "a stack that is well");
  });

  it("leaves namespace, volumes and keys at its end, and says so in a receipt", async () => {
    const down = await run("down", "--confirm", test.name, "--json");
    assert.equal(down.exitCode, 0, down.all);
    const receipt = JSON.parse(down.stdout);
    for (const pod of pods) assert.ok(receipt.kept.join().includes(`data-${pod} (1Gi`), receipt.kept.join());
    assert.equal(receipt.keys.needed, true);
    assert.ok(existsSync(join(test.stackDir, "vault-init.json")));
    const left = (await cluster.objects()).filter((object) => !asItWas.includes(object));
    const kinds = new Set(left.map((object) => object.split("/")[0]));
    // The rest is the administrator's: the login and its roles, and what Kubernetes puts into each namespace.
    for (const kind of ["StatefulSet", "Service", "Secret"]) assert.ok(!kinds.has(kind), left.join("\n"));
  });

  it("takes namespace and volumes up again, with what was in them", async () => {
    await test.stack.setConfig("teardown.retainData", { value: "false" });
    await test.stack.setConfig("teardown.protected", { value: "false" });
    // Deleting the namespace is a right of its own, and found missing before anything is made.
    const refused = await run("up");
    assert.match(refused.all, /namespaces vault: delete \(in the whole cluster\)/);
    await test.stack.setConfig("cluster.context", { value: cluster.context });
    await test.stack.setConfig("cluster.kubeconfig", { value: cluster.kubeconfig });
    const up = await run("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /init vault-0: already initialised/);
    assert.equal(await vault((client) => client.read("kept")), "through the end");
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("leaves the cluster as it was where the stack keeps nothing", async () => {
    const down = await run("down", "--json");
    assert.equal(down.exitCode, 0, down.all);
    const receipt = JSON.parse(down.stdout);
    assert.deepEqual(receipt.kept, []);
    assert.equal(receipt.keys.needed, false);
    assert.equal(existsSync(test.stackDir), false);
    await cluster.kubectl("delete", "--filename", "test/support/service-monitors.yaml");
    // The login, and the roles that an administrator has granted it.
    const others = /deployer|vault-ha-dev-test-/;
    let left: string[] = [];
    const asBefore = async () => {
      left = (await cluster.objects()).filter((object) => !others.test(object));
      return isDeepStrictEqual(left, asItWas) || undefined;
    };
    await poll(asBefore, { forMs: 2 * minutes });
    assert.deepEqual(left, asItWas);
  });
});
