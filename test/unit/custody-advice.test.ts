import assert from "node:assert/strict";
import { refuseUnknownStore } from "../../operate/custody/held.ts";
import { leader } from "../../operate/doctor/checks/leader.ts";
import { foundText } from "../../operate/recover/text.ts";
import { problemsOf } from "../../operate/restore/plan.ts";
import { statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import { evidenceOf, findings, standby } from "../support/evidence.ts";
import { stateOf } from "../support/subject.ts";

/** Words that would have the stack do what only the holders of its shares can. */
describe("what is advised where people hold the shares", () => {
  const pods = ["vault-0", "vault-1", "vault-2"];
  const sealed = { value: { ...standby, sealed: true, state: "sealed" as const, leads: false } };
  const [first] = stateOf(pods).filter(({ urn }) => urn.endsWith("::lifecycle-init-vault-0"));
  const token = { ...first, urn: "urn:pulumi:dev::vault-ha::command:local:Command::lifecycle-token" };
  const held = [...stateOf(pods), token] as ReturnType<typeof stateOf>;
  const next = (resources: ReturnType<typeof stateOf>, vault: object) => {
    const raft = { failed: "no node is unsealed" };
    const [finding] = findings(leader, { resources, raft, vault: vault as never });
    assert.equal(finding?.id, "quorum-lost");
    return finding?.next ?? [];
  };

  it("for a lost quorum is the unseal by the holders first, where a node is sealed", () => {
    const all = Object.fromEntries(pods.map((pod) => [pod, sealed]));
    assert.deepEqual(next(held, all).slice(0, 2), ["npm run unseal", "npm run up"]);
    assert.equal(next(stateOf(pods), all)[0], "npm run up");
    const blank = { value: { ...sealed.value, initialised: false, state: "not initialised" as const } };
    assert.equal(
      next(held, { ...all, "vault-0": { value: standby }, "vault-1": blank, "vault-2": blank })[0],
      "npm run up",
    );
  });

  it("after a recovery by hand is the same command, and no share for a terminal in the pod", () => {
    const gone = { failed: "no connection" };
    const lines = next(held, { "vault-0": sealed, "vault-1": gone, "vault-2": gone });
    const at = lines.findIndex((line) => line.startsWith("# 4."));
    assert.equal(lines[at + 1], "npm run unseal");
    assert.ok(!lines.some((line) => line.includes("operator unseal")));
  });

  it("before a recovery says how many shares are waited for", () => {
    const voters = pods.map((node) => ({ node, address: `${node}:8201` }));
    const found = {
      voters,
      survivors: [{ node: "vault-2", address: "vault-2:8201", sealed: true }],
      lost: voters.slice(0, 2).map((voter) => ({ ...voter, store: "gone" as const, why: "" })),
    };
    assert.match(
      foundText(found, { threshold: 2, command: "npm run unseal" }),
      /and unsealed by holders of 2 shares, who are waited for \(each: npm run unseal\)\./,
    );
    assert.match(foundText(found), /and unsealed\.\n/);
  });

  it("for a snapshot of another Vault is no --from-cluster, which is refused", () => {
    const record = { version: 1, savedAt: "2026-01-02T00:00:00Z", clusterId: "other", sha256: "aa" } as never;
    const facts = { size: 4, sha256: "aa", index: 40, term: 3, servers: [], entries: 9, sealed: true };
    const live = { leader: "vault-0", clusterId: "one", index: 50, version: "1.21.1" };
    const [says = ""] = problemsOf({ file: "x.snap", facts, record, live, begun: undefined }, undefined, {
      byHolders: true,
    });
    assert.match(says, /of another Vault.*docs\/custody\.md, Snapshots/);
    assert.doesNotMatch(says, /--from-cluster/);
  });

  it("for a snapshot that nobody has proved is no rehearsal, which is refused", () => {
    const evidence = evidenceOf();
    const status = {
      ...statusOf(evidence.subject, evidence),
      snapshots: { count: 1, newest: { file: "a.snap", savedAt: new Date().toISOString() } },
    } as ReturnType<typeof statusOf>;
    assert.match(statusText(status), /never proved \(npm run rehearse restore\)/);
    const custody = { shares: 3, proved: 0, holders: [] };
    assert.match(statusText({ ...status, custody }), /never proved \(docs\/custody\.md, Snapshots\)/);
  });

  it("lets shares go to a vault-0 that has joined anew, and to no other that the stack does not know", () => {
    const keys = { pvcUid: "made" };
    const on = (store: string | undefined, pinned: string | undefined, giveUp: string[] = []) =>
      refuseUnknownStore(keys, store, { stack: "dev", pinned, giveUp });
    on("made", undefined);
    on(undefined, "made");
    on("new", "new");
    on("new", "made", ["made"]);
    assert.throws(
      () => on("new", "made"),
      /Known: made; found: new\. No share was sent\.\nNext: npm run doctor/,
    );
    assert.throws(() => on("other", "new"), /Known: new; found: other/);
  });
});
