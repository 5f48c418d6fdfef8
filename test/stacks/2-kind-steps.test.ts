import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { loadSources } from "../../sources.ts";
import { type Ran, type RunOptions, runStep } from "../support/step-process.ts";
import { assertRefused } from "../support/vault-stack.ts";

const run = promisify(execFile);
const lines = async (command: string, ...args: string[]) =>
  (await run(command, args)).stdout.split("\n").filter((line) => line !== "");

/** The smallest cluster that kind makes. Each test goes on where the one before ended. */
describe("create-cluster and delete-cluster", function () {
  this.timeout(300_000);
  const name = `steps-test-${process.pid}`;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "vault-ha-test-"));
  });
  after(async () => {
    const { code, stderr } = await remove();
    await rm(folder, { recursive: true, force: true });
    assert.equal(code, 0, stderr);
  });

  const input = (label = "one") => {
    const { nodeImage } = loadSources();
    const config = [
      "kind: Cluster",
      "apiVersion: kind.x-k8s.io/v1alpha4",
      `nodes: [{role: control-plane, labels: {made-as: ${label}}}]`,
      'kubeadmConfigPatches: ["kind: KubeletConfiguration\\nfailCgroupV1: false\\n"]',
    ].join("\n");
    const stackDir = join(folder, "stack");
    return { name, network: name, stackDir, config, ...(nodeImage && { nodeImage }), timeoutSeconds: 240 };
  };
  const create = (label?: string, options?: RunOptions) => runStep("create-cluster", input(label), options);
  const remove = () => runStep("delete-cluster", input());
  const nodes = () =>
    lines("docker", "ps", "--all", "--quiet", "--filter", `label=io.x-k8s.kind.cluster=${name}`);
  const networks = async () =>
    (await lines("docker", "network", "ls", "--format", "{{.Name}}")).filter((one) => one === name);
  const kinds = async () =>
    (await lines("ps", "-eo", "args")).filter((args) => /^kind /.test(args) && args.includes(name));
  const succeed = (ran: Ran) => {
    assert.equal(ran.code, 0, ran.stderr);
    return ran.answer as { kubeconfig: string; instance: string };
  };
  /** Ends a create step when kind is at work on the node. */
  const endWhileMaking = (signal: NodeJS.Signals) =>
    create("one", {
      started: async (child) => {
        while (!child.stderr().includes("Starting control-plane")) {
          assert.doesNotMatch(child.stderr(), /Next:/);
          await sleep(100);
        }
        child.kill(signal);
      },
    });

  it("leaves nothing of a cluster whose making was ended by SIGTERM", async () => {
    const ran = await endWhileMaking("SIGTERM");
    assert.equal(ran.code, 143);
    assert.match(ran.stderr, /was not finished; nothing of it is left/);
    assert.deepEqual([await nodes(), await networks(), await kinds()], [[], [], []]);
  });

  it("takes kind with it when it is killed, so that no other run meets it", async () => {
    await endWhileMaking("SIGKILL");
    for (let tries = 0; (await kinds()).length > 0; tries++) {
      assert.ok(tries < 50, "kind is still at work");
      await sleep(100);
    }
    assert.equal((await nodes()).length, 1);
  });

  it("makes anew, and says so, what a killed run left half-made", async () => {
    const [halfMade] = await nodes();
    const ran = await create();
    const { kubeconfig, instance } = succeed(ran);
    assert.match(ran.stderr, /is there, but half-made \(1 node\(s\)\): it is deleted and made anew/);
    assert.ok(!instance.startsWith(halfMade ?? "none"));
    const file = join(folder, "stack", "kubeconfig");
    assert.equal(await readFile(file, "utf8"), kubeconfig);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(folder, "stack")), ["kubeconfig", "step.lock", "step.lock.json"]);
  });

  it("takes a whole cluster of the same configuration as it is, also when its node was stopped", async () => {
    const [id = ""] = await nodes();
    assert.ok(succeed(await create()).instance.startsWith(id));
    await run("docker", ["stop", "--time", "1", id]);
    const ran = await create();
    assert.ok(succeed(ran).instance.startsWith(id));
    assert.match(ran.stderr, /starting 1 stopped node/);
  });

  it("does not delete a cluster for another configuration while the folder holds Vault's keys", async () => {
    const keys = join(folder, "stack", "vault-init.json");
    await writeFile(keys, "{}", { mode: 0o600 });
    const before = await nodes();
    assertRefused(await create("two"), "made from another configuration", keys, "It is not deleted for you");
    assert.deepEqual(await nodes(), before);
    await rm(keys);
  });

  it("makes a cluster of another configuration anew", async () => {
    const before = await nodes();
    const ran = await create("two");
    succeed(ran);
    assert.match(ran.stderr, /made from another configuration: it is deleted and made anew/);
    assert.notDeepEqual(await nodes(), before);
  });

  it("deletes the nodes with their volumes, the network, the kubeconfig and the keys, and nothing else", async () => {
    const stackDir = join(folder, "stack");
    await writeFile(join(stackDir, "vault-init.json"), "{}", { mode: 0o600 });
    await writeFile(join(stackDir, "mine"), "");
    const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}';
    const volumes = await lines("docker", "inspect", "--format", format, ...(await nodes()));
    assert.ok(volumes.length > 0);
    const ran = await remove();
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual([await nodes(), await networks()], [[], []]);
    const left = await lines("docker", "volume", "ls", "--quiet");
    assert.deepEqual(
      volumes.filter((volume) => left.includes(volume.trim())),
      [],
    );
    assert.deepEqual(await readdir(stackDir), ["mine"]);
    assert.match(ran.stderr, /stays, for it holds mine/);
    await rm(join(stackDir, "mine"));
  });

  it("ends well where everything is gone already, names what was missing, and removes the empty folder", async () => {
    const ran = await remove();
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, new RegExp(`already gone: nodes, network ${name}`));
    assert.equal(existsSync(join(folder, "stack")), false);
  });

  it("tells Docker's own reason where the nodes cannot be made, and leaves nothing", async () => {
    const config = input().config.replace(
      "role: control-plane",
      "role: control-plane, image: no.such.host/image:1",
    );
    const { nodeImage: _, ...rest } = input();
    const ran = await runStep("create-cluster", { ...rest, config });
    assertRefused(ran, "no.such.host", "nothing of it is left");
    assert.deepEqual([await nodes(), await networks()], [[], []]);
  });
});
