import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { execa } from "execa";
import type { Peer } from "../../components/vault-lifecycle.ts";
import { checkout } from "../../setup/folders.ts";
import { containerIdentities } from "../../steps/lib/pods.ts";
import { type ProcessWatch, watchProcesses } from "../support/process-watch.ts";
import {
  dockerLeftovers,
  dockerVolumes,
  makeTestStack,
  proposals,
  removeTestStack,
  secretOf,
  type TestStack,
} from "../support/test-stack.ts";

const minutes = 60_000;
const pods = ["vault-0", "vault-1", "vault-2"];

/** One cluster for all of it: each test goes on where the one before ended. */
describe("a stack on a real cluster", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let test: TestStack;
  let processes: ProcessWatch;
  let volumesBefore: string[];
  /** Everything that was printed: by Pulumi, its plug-ins and the steps. */
  let log = "";
  let shares: string[];
  let rootToken: string;

  const keep = (text: string) => {
    log += text;
  };
  const vault = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${test.ports.vault}/v1/${path}`, {
      headers: { "X-Vault-Token": rootToken ?? "" },
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const clusterNodes = async () =>
    (await dockerLeftovers(`vault-ha-${test.name}`)).filter((name) =>
      /-(control-plane|worker\d*)$/.test(name),
    );
  const npmRunUp = async () => {
    const args = ["commands/up.ts", "--stack", test.name];
    const ran = await execa(process.execPath, args, { cwd: checkout, reject: false, all: true });
    keep(ran.all);
    return ran;
  };
  const kubeconfig = () => readFileSync(join(test.stackDir, "kubeconfig"), "utf8");

  before(async () => {
    volumesBefore = await dockerVolumes();
    test = await makeTestStack();
    processes = watchProcesses();
  });

  after(async () => {
    processes?.stop();
    if (!test) return;
    await test.stack.cancel().catch(() => {});
    await test.stack.destroy();
    await removeTestStack(test);
  });

  it("is left whole by an interrupt while vault-1 joins", async () => {
    const up = execa("pulumi", ["up", "--yes", "--skip-preview", "--stack", test.name, "--non-interactive"], {
      cwd: checkout,
      reject: false,
      all: true,
    });
    let interrupted = false;
    up.all.on("data", (data) => {
      keep(`${data}`);
      // Once only: a second interrupt makes pulumi leave at once, and its lock stays behind.
      if (interrupted || !log.includes("lifecycle-join-vault-1")) return;
      interrupted = up.kill("SIGINT");
    });
    const { exitCode, signal } = await up;
    assert.ok(interrupted, "the update ended before vault-1 joined");
    assert.equal(signal, undefined, "pulumi was killed instead of ending by itself");
    assert.notEqual(exitCode, 0, "the update was not interrupted");
  });

  it("is finished by the next update: three voters, one leader", async () => {
    const { outputs } = await test.stack.up({ onOutput: keep });
    shares = secretOf(outputs, "shares");
    rootToken = secretOf(outputs, "rootToken");
    assert.equal(shares.length, 5);
    const peers: Peer[] = outputs.peers?.value;
    assert.deepEqual(
      peers.map(({ node, voter }) => [node, voter]),
      pods.map((pod) => [pod, true]),
    );
    assert.equal(peers.filter(({ state }) => state === "leader").length, 1);
  });

  it("answers at Vault's address on this machine, unsealed", async () => {
    const { body } = await vault("sys/health?standbyok=true");
    assert.equal(body.initialized, true);
    assert.equal(body.sealed, false);
  });

  it("has put autopilot's stabilization time back to Vault's own", async () => {
    const { body } = await vault("sys/storage/raft/autopilot/configuration");
    assert.equal((body.data as Record<string, unknown>).server_stabilization_time, "10s");
  });

  it("serves the test application through the ingress", async () => {
    let body = "";
    await poll(async () => {
      body = await getWithHost(`http://127.0.0.1:${test.ports.http}/hello`, "whoami.localhost");
      return true;
    }, "the ingress to know its host");
    assert.match(body, /^Hostname: whoami-/m);
    assert.match(body, /^GET \/hello HTTP\/1\.1$/m);
    assert.match(body, /^X-Forwarded-Host: whoami\.localhost/im);
  });

  it("proposes no change at a second preview", async () => {
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("keeps its keys in a file that nobody else can read", () => {
    for (const file of ["vault-init.json", "kubeconfig"])
      assert.equal(statSync(join(test.stackDir, file)).mode & 0o777, 0o600, file);
    assert.ok(readFileSync(join(test.stackDir, "vault-init.json"), "utf8").includes(rootToken));
  });

  it("shows a killed pod in the next preview, and unseals it in the next update", async () => {
    const config = new KubeConfig();
    config.loadFromString(kubeconfig());
    const before = await containerIdentities(kubeconfig(), "vault", pods, { waitSeconds: 0 });
    await config
      .makeApiClient(CoreV1Api)
      .deleteNamespacedPod({ name: "vault-1", namespace: "vault", gracePeriodSeconds: 0 });
    await poll(async () => {
      const now = await containerIdentities(kubeconfig(), "vault", pods, { waitSeconds: 60 });
      return now["vault-1"] !== before["vault-1"] && now["vault-1"] !== "not running";
    }, "vault-1 to run again");
    assert.deepEqual(await proposals(test.stack), [
      "update lifecycle-unseal-vault-1",
      "update lifecycle-verify",
    ]);
    const { outputs } = await test.stack.up({ onOutput: keep });
    assert.ok(((outputs.peers?.value ?? []) as Peer[]).every(({ voter }) => voter));
    assert.deepEqual(secretOf(outputs, "shares"), shares);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("goes on, in npm run up, from a state that does not know what a killed run had made", async () => {
    const before = await containerIdentities(kubeconfig(), "vault", pods, { waitSeconds: 0 });
    const state = await test.stack.exportStack();
    const { resources } = state.deployment as { resources: { urn: string }[] };
    const forgotten = /::(vault-release|ingress-release|whoami-ingress|lifecycle-.*)$/;
    const kept = resources.filter(({ urn }) => !forgotten.test(urn));
    assert.equal(resources.length - kept.length, 12);
    await test.stack.importStack({ ...state, deployment: { ...state.deployment, resources: kept } });
    const up = await npmRunUp();
    assert.equal(up.exitCode, 0, up.all);
    for (const name of ["ingress-nginx", "vault"])
      assert.match(
        up.all,
        new RegExp(`cut off while it installed ${name}: it is installed over what is there`),
      );
    assert.match(up.all, /init vault-0: already initialised/);
    assert.deepEqual(secretOf(await test.stack.outputs(), "shares"), shares);
    assert.deepEqual(await containerIdentities(kubeconfig(), "vault", pods, { waitSeconds: 0 }), before);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("is raised again by npm run up after its nodes were stopped, as by a restart of the machine", async () => {
    const nodes = await clusterNodes();
    assert.equal(nodes.length, 4);
    await execa("docker", ["stop", "--time", "5", ...nodes]);
    const up = await npmRunUp();
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /starting the nodes of vault-ha-test-\S+ that are stopped/);
    for (const pod of pods) assert.match(up.all, new RegExp(`unseal ${pod}: unsealed`));
    assert.deepEqual(secretOf(await test.stack.outputs(), "shares"), shares);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("refuses, in npm run up, a change that would lose Vault's data, and changes nothing", async () => {
    await test.stack.setConfig("cluster.workers", { value: "4" });
    const up = await npmRunUp();
    await test.stack.removeConfig("cluster.workers");
    assert.equal(up.exitCode, 1, up.all);
    assert.match(
      up.all,
      /would replace cluster-create, vault-namespace, vault-release, and Vault's data would be lost/,
    );
    assert.match(up.all, /Nothing was changed\.[\s\S]*pulumi preview --diff[\s\S]*npm run down/);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("shows no share and no token: not in the state, not in any output, not in the process list", async () => {
    const state = stateFiles(test.name);
    assert.ok(state.length > 0, "no state file was found");
    const places = [
      ...state.map((file) => [file, readFileSync(file, "utf8")] as const),
      ["output", log] as const,
      ...processes.seen().map((text) => ["process", text] as const),
    ];
    assert.ok(processes.rounds() > 50, `the process list was read ${processes.rounds()} times`);
    assert.ok(
      processes.seen().some((text) => text.includes("steps/unseal.ts")),
      "no step was seen in the process list",
    );
    const hex = shares.map((share) => Buffer.from(share, "base64").toString("hex"));
    for (const [place, text] of places)
      for (const secret of [...shares, ...hex, rootToken])
        assert.ok(!text.includes(secret), `a secret stands in: ${place}`);
  });

  it("leaves nothing after destroy: no container, network, volume or file", async () => {
    await test.stack.destroy({ onOutput: keep });
    assert.deepEqual(await dockerLeftovers(`vault-ha-${test.name}`), []);
    assert.deepEqual(
      (await dockerVolumes()).filter((name) => !volumesBefore.includes(name)),
      [],
    );
    assert.equal(existsSync(test.stackDir), false, `${test.stackDir} is still there`);
  });
});

/** The files of the local backend that belong to a stack: its state, backups and history. */
function stateFiles(stack: string): string[] {
  const root = join(checkout, ".local/state");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.includes(stack) && statSync(join(root, path)).isFile())
    .map((path) => join(root, path));
}

function getWithHost(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host }, timeout: 10_000 }, (response) => {
      let body = "";
      response.on("data", (data) => {
        body += data;
      });
      response.on("end", () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode}: ${body}`)),
      );
    });
    sent.on("error", reject).end();
  });
}

async function poll(done: () => Promise<boolean>, what: string): Promise<void> {
  for (
    const end = Date.now() + 2 * minutes;
    Date.now() < end;
    await new Promise((next) => setTimeout(next, 500))
  )
    if (await done().catch(() => false)) return;
  assert.fail(`waited 2 minutes for ${what}`);
}
