import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { stackTexts } from "../../operate/stack-texts.ts";
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
