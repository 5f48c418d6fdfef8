import assert from "node:assert/strict";
import { exitCodes, type Status, statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import type { Subject } from "../../operate/views/subject.ts";
import { gatherViews } from "../../operate/views/views.ts";
import { poll } from "../../setup/processes.ts";
import { readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("the status of real Vault nodes", function () {
  this.timeout(60_000);
  let stack: VaultStack;

  const look = async (more: Partial<Subject> = {}): Promise<Status> => {
    const subject = subjectOf(stack, more);
    return statusOf(subject, await gatherViews(subject));
  };
  /** Looks until the status is as expected: an election or autopilot's next look may be due. */
  const seen = async (what: string, fits: (status: Status) => boolean): Promise<Status> => {
    let last: Status | undefined;
    const fitting = async () => {
      last = await look();
      return fits(last) ? last : undefined;
    };
    const status = await poll(fitting, { forMs: 30_000 });
    return status ?? assert.fail(`waited for ${what}; last seen: ${JSON.stringify(last, null, 2)}`);
  };
  const ids = ({ disagreements }: Status) =>
    disagreements.map(({ id, node }) => (node ? `${id} ${node}` : id));
  const leader = async () =>
    (await seen("a healthy cluster", ({ verdict }) => verdict === "healthy")).leader ?? "";
  const unseal = async (pod: string) => assert.equal((await stack.unseal(pod)).code, 0);

  before(async () => {
    stack = await VaultStack.start(3);
  });
  after(async function () {
    await stack?.end(this);
  });

  it("is down, with a word for each missing step, before anything was initialised", async () => {
    const status = await look({ resources: [] });
    assert.equal(status.verdict, "down");
    assert.equal(exitCodes[status.verdict], 2);
    assert.deepEqual(ids(status), ["unfinished"]);
    assert.match(
      status.disagreements[0]?.says ?? "",
      /lacks vault-0: init, unseal; vault-1: join, unseal, voter;/,
    );
    assert.equal(status.disagreements[0]?.next, "npm run up");
    assert.ok(status.nodes.every(({ vault }) => vault.value?.state === "not initialised"));
  });

  it("says of nodes that the state knows and whose store is blank that they are blank", async () => {
    assert.deepEqual(ids(await look()), ["blank vault-0", "blank vault-1", "blank vault-2"]);
  });

  it("is healthy with one leader, voters that autopilot calls healthy, and no lag", async () => {
    await stack.raise();
    const status = await seen("a healthy cluster", ({ verdict }) => verdict === "healthy");
    assert.equal(exitCodes[status.verdict], 0);
    assert.deepEqual(status.disagreements, []);
    assert.equal(status.failureTolerance, 1);
    const leaders = status.nodes
      .filter(({ vault }) => vault.value?.state === "active")
      .map(({ node }) => node);
    assert.deepEqual(leaders, [status.leader]);
    for (const { raft, vault } of status.nodes) {
      assert.equal(raft.value?.voter, true);
      assert.equal(raft.value?.lag, 0);
      assert.match(vault.value?.version ?? "", /^\d+\.\d+\.\d+$/);
    }
    assert.match(
      statusText(status),
      new RegExp(`Stack dev is healthy: ${status.leader} leads, 1 of 3 nodes may fail`),
    );
  });

  it("holds no share and no token, as an object and as text", async () => {
    const status = await look();
    for (const secret of stack.secrets())
      for (const text of [JSON.stringify(status), statusText(status)]) assert.ok(!text.includes(secret));
  });

  it("tells from the journal that the root token was revoked, and where a rekey was cut off", async () => {
    const journal = await readKeys(stack.stackDir);
    if (journal === undefined) return assert.fail("no journal");
    const at = "2026-02-01T00:00:00.000Z";
    const rekey = { nonce: "n", begunAt: at, threshold: 3, shares: ["never-shown"] };
    await writeKeys(stack.stackDir, { ...journal, rekey, rootRevoked: { at, user: "olga" } });
    const status = await look();
    await writeKeys(stack.stackDir, journal);
    const text = statusText(status);
    assert.match(text, /root token: revoked on 2026-02-01; olga logs in/);
    assert.match(text, /rekey: begun on 2026-02-01 and cut off \(npm run rekey\)/);
    assert.ok(!JSON.stringify(status).includes("never-shown"));
    assert.doesNotMatch(statusText(await look()), /root token|rekey/);
  });

  it("is degraded while a node that was started again is sealed, and names the command that unseals it", async () => {
    const pod = (await leader()) === "vault-1" ? "vault-2" : "vault-1";
    await stack.nodes.at(Number(pod.at(-1))).restart();
    await stack.nodes.at(Number(pod.at(-1))).send("PUT", "sys/unseal", { key: stack.keys.shares[0] });
    const status = await seen("the sealed node", ({ disagreements }) => disagreements.length > 0);
    assert.equal(status.verdict, "degraded");
    assert.equal(exitCodes[status.verdict], 1);
    assert.deepEqual(
      status.disagreements.filter(({ id }) => id === "sealed"),
      [{ id: "sealed", node: pod, says: `${pod}: Vault says that it is sealed`, next: "npm run up" }],
    );
    assert.match(statusText(status), new RegExp(`${pod}.*sealed \\(1 of 3 shares\\)`));
    await unseal(pod);
  });

  it("tells of a node that Raft knows and this stack does not run, with the command that takes it out", async () => {
    await leader();
    const status = await look({ pods: ["vault-0", "vault-1"] });
    const [found] = status.disagreements;
    assert.equal(found?.id, "stranger");
    assert.match(
      found?.says ?? "",
      /Raft has vault-2 \(127\.0\.0\.1:\d+\), a voter that this stack does not run/,
    );
    assert.match(found?.next ?? "", /VAULT_TOKEN; vault operator raft remove-peer vault-2'$/);
  });

  it("is degraded where Raft could not be asked for want of the root token", async () => {
    const keys = () => Promise.reject(new Error("vault-init.json may be read by others"));
    const status = await look({ keys });
    assert.equal(status.verdict, "degraded");
    assert.deepEqual(ids(status), ["raft-unanswered"]);
    assert.match(
      status.disagreements[0]?.says ?? "",
      /needs the stack's token: vault-init.json may be read by others/,
    );
    assert.deepEqual(ids(await look({ keys: async () => undefined })), ["raft-unanswered"]);
  });

  it("tells of steps that the state lacks although Vault is whole", async () => {
    const resources = stateOf(stack.pods).filter(({ urn }) => !/voter-vault-2|verify/.test(urn));
    const status = await look({ resources });
    assert.deepEqual(ids(status), ["unfinished"]);
    assert.match(status.disagreements[0]?.says ?? "", /lacks vault-2: voter; verify$/);
    assert.match(statusText(status), /vault-2 {2}join, unseal /);
  });

  it("does not wait for a node that hangs: its column says so, the others answer", async () => {
    const pod = (await leader()) === "vault-1" ? "vault-2" : "vault-1";
    const node = stack.nodes.at(Number(pod.at(-1)));
    node.freeze();
    const status = await look();
    node.thaw();
    const hanging = status.nodes.find(({ node }) => node === pod);
    assert.match(hanging?.vault.failed ?? "", /^no answer within 2.5 s$/);
    assert.ok(ids(status).includes(`vault-unanswered ${pod}`), ids(status).join());
    assert.equal(status.nodes.filter(({ vault, raft }) => vault.value && raft.value).length, 2);
    assert.equal(status.verdict, "degraded");
  });

  it("is down when two of three are gone: the last one is unsealed, and nobody leads", async () => {
    const first = await leader();
    const others = stack.pods.filter((pod) => pod !== first);
    await stack.nodes.at(Number(first.at(-1))).stop();
    await stack.nodes.at(Number(others[0]?.at(-1))).stop();
    const status = await seen("no leader", ({ verdict }) => verdict === "down");
    assert.ok(ids(status).includes("no-leader"), ids(status).join());
    assert.equal(status.leader, undefined);
    assert.match(statusText(status), /is down: no node is known to lead/);
    for (const pod of [first, others[0] ?? ""]) {
      await stack.nodes.at(Number(pod.at(-1))).start();
      await unseal(pod);
    }
    await leader();
  });

  it("is down when every node is sealed", async () => {
    await Promise.all(stack.nodes.nodes.map((node) => node.restart()));
    const status = await look();
    assert.equal(status.verdict, "down");
    assert.deepEqual(ids(status), ["sealed vault-0", "sealed vault-1", "sealed vault-2"]);
  });
});
