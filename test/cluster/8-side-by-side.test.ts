import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { stackTexts } from "../../operate/stack-texts.ts";
import { checkout } from "../../setup/folders.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { asEachSpeaks } from "../support/as-each-speaks.ts";
import { runCommandOn } from "../support/outside-cluster.ts";
import { minutes, sharedStack } from "../support/shared-stack.ts";
import {
  dockerLeftovers,
  makeTestStack,
  proposals,
  removeTestStack,
  type TestStack,
} from "../support/test-stack.ts";

describe("a second stack, with the settings of ci, beside one that stands", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let first: Awaited<ReturnType<typeof sharedStack>>;
  let second: TestStack;
  let firstAsItWas: object;

  before(async () => {
    first = await sharedStack();
    firstAsItWas = await look();
    const texts = Object.entries(stackTexts("ci") ?? {});
    const settings = texts.map(([key, text]) => [key.replace("vault-ha:", ""), text] as const);
    // Everything but the ports, which the tests choose.
    second = await makeTestStack(Object.fromEntries(settings.filter(([key]) => !/ports/.test(key))), "-ci");
  });
  after(async () => {
    if (second === undefined) return;
    await second.stack.cancel().catch(() => {});
    await second.stack.destroy();
    await removeTestStack(second);
  });

  const run = (name: string, ...args: string[]) => runCommandOn(second.name, name, ...args);
  const file = (test: TestStack, name: string) => readFileSync(join(test.stackDir, name), "utf8");
  /** What must not change in the first one: what runs, its kubeconfig, its keys. */
  const look = async () => ({
    containers: await first.containers(),
    kubeconfig: first.kubeconfig(),
    keys: first.keys(),
  });

  const cubbyhole = async <T>({ stackDir }: TestStack, token: string, work: (vault: Vault) => Promise<T>) => {
    const kubeconfig = join(stackDir, "kubeconfig");
    const road = await asEachSpeaks({ kind: "kubernetes", kubeconfig, namespace: "vault" });
    const vault = new Vault(road, "vault-0", { signal: AbortSignal.timeout(30_000) }, token);
    return await work(vault).finally(() => vault.close());
  };

  it("is raised on a cluster, ports and keys of its own", async () => {
    const up = await run("up", "--json");
    assert.equal(up.exitCode, 0, up.all);
    assert.equal(JSON.parse(up.stdout).peers.length, 1);
    for (const name of ["kubeconfig", "vault-init.json"])
      assert.notEqual(file(second, name), file(first.test, name), name);
    const servers = [first.test, second].map((test) => /server: (\S+)/.exec(file(test, "kubeconfig"))?.[1]);
    assert.notEqual(servers[0], servers[1]);
    assert.deepEqual(await proposals(second.stack), []);
  });

  it("leaves the first one as it is, down to each container, and its preview empty", async () => {
    assert.deepEqual(await look(), firstAsItWas);
    assert.deepEqual(await proposals(first.test.stack), []);
    assert.equal((await first.command("status")).exitCode, 0);
  });

  it("takes in a snapshot of the first one, with the shares of that, and is a stack like any other then", async () => {
    const { shares, rootToken } = first.keys();
    await cubbyhole(first.test, rootToken, (vault) => vault.write("moved", "from the first one"));
    const saved = JSON.parse((await first.command("snapshot", "save", "--json")).stdout);
    const unnamed = await run("restore", saved.file, "--confirm", second.name);
    assert.equal(unnamed.exitCode, 1, unnamed.all);
    assert.ok(unnamed.all.includes(`--from-cluster ${saved.clusterId}`), unnamed.all);

    const flags = ["--stack", second.name, "--from-cluster", saved.clusterId, "--confirm", second.name];
    const restored = await execa(process.execPath, ["commands/restore.ts", saved.file, ...flags], {
      cwd: checkout,
      reject: false,
      all: true,
      input: [...shares.slice(0, 3), rootToken].join("\n"),
    });
    first.keep(restored.all);
    assert.equal(restored.exitCode, 0, restored.all);
    assert.match(restored.all, /vault\.giveUp names the Vault that ran before/);
    const up = await run("up");
    assert.equal(up.exitCode, 0, up.all);
    first.keep(up.all);
    const outputs = await second.stack.outputs();
    assert.equal(outputs.rootToken?.value, rootToken, "the state has the keys of what runs now");
    assert.deepEqual(await proposals(second.stack), []);
    const moved = await cubbyhole(second, rootToken, (vault) => vault.read("moved"));
    assert.equal(moved, "from the first one");
    for (const { stackDir } of [first.test, second]) rmSync(join(stackDir, "snapshots"), { recursive: true });
    const former = readdirSync(second.stackDir).filter((name) => /^vault-init\..+\.json$/.test(name));
    assert.equal(former.length, 1, "the keys of the Vault that ran before are kept");
    rmSync(join(second.stackDir, former[0] ?? ""));
  });

  it("ends clean after somebody has removed its nodes and its files, and says what was missing", async () => {
    const cluster = (await dockerLeftovers(`vault-ha-${second.name}`)).filter((name) =>
      /-(control|work)/.test(name),
    );
    assert.equal(cluster.length, 2);
    await execa("docker", ["rm", "--force", "--volumes", ...cluster]);
    rmSync(join(second.stackDir, "kubeconfig"));
    const down = await run("down", "--json");
    assert.equal(down.exitCode, 0, down.all);
    const { missing, kept } = JSON.parse(down.stdout);
    assert.match(missing.join("\n"), /the nodes of cluster vault-ha-dev-test-.*somebody had removed them/);
    assert.match(missing.join("\n"), /kubeconfig$/);
    assert.deepEqual(kept, []);
    assert.deepEqual(await dockerLeftovers(`vault-ha-${second.name}`), []);
    assert.equal(existsSync(second.stackDir), false);
  });

  it("takes nothing of the first one along", async () => {
    assert.deepEqual(await look(), firstAsItWas);
    assert.deepEqual(await proposals(first.test.stack), []);
  });
});
