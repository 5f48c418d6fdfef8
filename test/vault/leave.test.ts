import assert from "node:assert/strict";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("peers that leave, of a cluster of five real Vault processes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  let staying = ["vault-0", "vault-1", "vault-2"];

  before(async () => {
    stack = await VaultStack.start(5);
    await stack.raise();
  });
  after(async function () {
    await stack?.end(this);
  });

  const leave = (pods: string[], more: object = {}) => stack.run("leave", { pods, ...more });
  const asked = () => stack.nodes.nodes.find(({ name }) => name === staying[0]) ?? stack.nodes.at(0);
  const peers = async () => {
    const { data } = await asked().get("sys/storage/raft/configuration", stack.token);
    const { config } = data as { config: { servers: { node_id: string }[] } };
    return config.servers.map(({ node_id }) => node_id).sort();
  };
  const leader = async () => {
    const { data } = await asked().get("sys/storage/raft/autopilot/state", stack.token);
    return (data as { leader: string }).leader;
  };

  it("does nothing where nobody has to", async () => {
    const ran = await leave(stack.pods);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(ran.answer.left, []);
    assert.equal((await peers()).length, 5);
  });

  it("refuses while one that stays is sealed, names it, and nobody has left", async () => {
    await stack.nodes.at(1).stop();
    await stack.nodes.at(1).start();
    const ran = await leave(staying, { timeoutSeconds: 3 });
    assertRefused(
      ran,
      "to be healthy voters, so that vault-3, vault-4 can leave",
      "vault-1 is sealed",
      "get pods",
    );
    assert.equal((await peers()).length, 5);
    assert.equal((await stack.unseal("vault-1")).code, 0);
    assert.equal((await stack.voter("vault-1")).code, 0);
  });

  it("goes in order: one that leads last, after it has handed over", async () => {
    const leading = await leader();
    const other = stack.pods.findLast((pod) => pod !== leading) ?? "";
    staying = stack.pods.filter((pod) => ![leading, other].includes(pod));
    const ran = await leave(staying);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(ran.answer.left, [other, leading]);
    assert.match(
      ran.stderr,
      new RegExp(
        `${other} leaves: 5 peers become 4\n[^]*${leading} leads and hands over\n[^]*${leading} leaves: 4 peers become 3`,
      ),
    );
    assert.deepEqual(await peers(), staying);
    assert.ok(staying.includes(await leader()));
  });

  it("leaves a whole cluster behind, and does nothing when it runs again", async () => {
    const again = await leave(staying);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(again.answer.left, []);
    const ran = await stack.verify({ pods: staying });
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.answer.failureTolerance, 1);
  });

  it("says no share and no token", () => {
    for (const { stderr } of stack.ran)
      for (const secret of stack.secrets()) assert.ok(!stderr.includes(secret), stderr);
  });
});

describe("a node that leaves while another that leaves is away", function () {
  this.timeout(90_000);

  it("goes after it: the healthy one is what a majority needs until then", async () => {
    const stack = await VaultStack.start(3);
    try {
      await stack.raise();
      const away = stack.nodes.nodes.find(({ name }) => name === "vault-1");
      await away?.stop();
      const ran = await stack.run("leave", { pods: ["vault-0"] });
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(ran.answer.left, ["vault-1", "vault-2"]);
      const { data } = await stack.nodes.at(0).get("sys/storage/raft/configuration", stack.token);
      const { config } = data as { config: { servers: object[] } };
      assert.equal(config.servers.length, 1);
      assert.equal((await stack.verify({ pods: ["vault-0"] })).code, 0);
    } finally {
      await stack.end();
    }
  });
});

describe("a stack whose journal is somewhere else", function () {
  this.timeout(60_000);

  it("has nobody leave where its state has no token either, and says so", async () => {
    const stack = await VaultStack.start(2);
    try {
      await stack.raise();
      const ran = await stack.run("leave", {
        pods: ["vault-0"],
        stack: "nonesuch",
        stackDir: `${stack.stackDir}-empty`,
      });
      assertRefused(
        ran,
        "vault-1 cannot leave: neither this machine's journal nor the stack's state",
        "pulumi stack output",
      );
    } finally {
      await stack.end();
    }
  });
});
