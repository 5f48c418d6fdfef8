import assert from "node:assert/strict";
import { execa } from "execa";
import { eventually, minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { dockerLeftovers, proposals, secretOf } from "../support/test-stack.ts";

describe("npm run up, on a stack that stands", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let shared: Awaited<ReturnType<typeof sharedStack>>;
  let shares: string[];

  before(async () => {
    shared = await sharedStack();
    ({ shares } = shared.keys());
  });

  it("goes on from a state that does not know what a killed run had made", async () => {
    const { stack } = shared.test;
    const before = await shared.containers();
    const state = await stack.exportStack();
    const { resources } = state.deployment as { resources: { urn: string }[] };
    const forgotten = /::(vault-release|vault-ingress|ingress-release|whoami-ingress|lifecycle-.*)$/;
    const kept = resources.filter(({ urn }) => !forgotten.test(urn));
    assert.equal(resources.length - kept.length, 15);
    await stack.importStack({ ...state, deployment: { ...state.deployment, resources: kept } });
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    for (const name of ["ingress-nginx", "vault"])
      assert.match(
        up.all,
        new RegExp(`cut off while it installed ${name}: it is installed over what is there`),
      );
    assert.match(up.all, /init vault-0: already initialised/);
    assert.match(up.all, /rollout: every node runs what the release says/);
    assert.deepEqual(secretOf(await stack.outputs(), "shares"), shares);
    assert.deepEqual(await shared.containers(), before);
    assert.deepEqual(await proposals(stack), []);
  });

  it("raises it again after its nodes were stopped, as by a restart of the machine", async () => {
    const nodes = (await dockerLeftovers(`vault-ha-${shared.test.name}`)).filter((name) =>
      /-(control-plane|worker\d*)$/.test(name),
    );
    assert.equal(nodes.length, 4);
    await execa("docker", ["stop", "--time", "5", ...nodes]);
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /starting the nodes of vault-ha-dev-test-\S+ that are stopped/);
    for (const pod of pods) assert.match(up.all, new RegExp(`unseal ${pod}: unsealed`));
    assert.deepEqual(secretOf(await shared.test.stack.outputs(), "shares"), shares);
    assert.deepEqual(await proposals(shared.test.stack), []);
  });

  it("refuses a change that would lose Vault's data, and changes nothing", async () => {
    await shared.test.stack.setConfig("cluster.workers", { value: "4" });
    const up = await shared.command("up");
    await shared.test.stack.removeConfig("cluster.workers");
    assert.equal(up.exitCode, 1, up.all);
    assert.match(up.all, /destructive: The kind cluster is replaced: all of Vault's data is lost/);
    assert.match(up.all, /because: cluster\.workers, which follows vault\.replicas unless set: 3 -> 4/);
    assert.match(
      up.all,
      /npm run up refuses this[\s\S]*npm run snapshot save[\s\S]*pulumi config set vault\.giveUp [0-9a-f-]{36} --stack[\s\S]*Nothing was changed\./,
    );
    assert.deepEqual(await proposals(shared.test.stack), []);
  });

  it("refuses a blank store behind a known pod, names both, and has it join once the old one was given up", async () => {
    const { tools, test } = shared;
    const uid = () =>
      tools.kubectl("get", "pvc", "data-vault-2", "--output", "jsonpath={.metadata.uid}").catch(() => "");
    const known = await uid();
    await tools.kubectl("delete", "pvc", "data-vault-2", "--wait=false");
    await tools.deletePods("vault-2");
    await eventually(async () => {
      const { "vault-2": container } = await shared.containers(60);
      return container !== "not running" && ![known, ""].includes(await uid());
    }, "vault-2 on a fresh volume");
    const found = await uid();
    const refused = await shared.command("up");
    assert.notEqual(refused.exitCode, 0);
    assert.match(
      refused.all,
      new RegExp(`vault-2 runs on another store than .* Known: ${known}; found: ${found}`),
    );
    assert.match(refused.all, new RegExp(`pulumi config set vault\\.giveUp ${known} --stack ${test.name}`));

    await test.stack.setConfig("vault.giveUp", { value: known });
    await tools.removePeer("vault-2");
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, new RegExp(`vault-2: ${known} was given up; ${found} takes its place`));
    await test.stack.removeConfig("vault.giveUp");
    await test.stack.up({ onOutput: shared.keep });
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("has a node join once more whose store was emptied in place", async () => {
    await shared.tools.removePeer("vault-2");
    await shared.tools.emptyStore("vault-2");
    await eventually(async () => {
      const { "vault-2": container } = await shared.containers(60);
      return container !== "not running";
    }, "vault-2 to run again");
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /unseal vault-2: is blank: .* so it joins once more/);
    assert.deepEqual(await proposals(shared.test.stack), []);
  });
});
