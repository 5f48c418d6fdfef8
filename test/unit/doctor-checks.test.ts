import assert from "node:assert/strict";
import { claims } from "../../operate/doctor/checks/claims.ts";
import { clock } from "../../operate/doctor/checks/clock.ts";
import { disk } from "../../operate/doctor/checks/disk.ts";
import { engine } from "../../operate/doctor/checks/engine.ts";
import { internalServices } from "../../operate/doctor/checks/internal-service.ts";
import { journal } from "../../operate/doctor/checks/journal.ts";
import { keys } from "../../operate/doctor/checks/keys.ts";
import { kubeNodes } from "../../operate/doctor/checks/kube-nodes.ts";
import { kubernetesApi } from "../../operate/doctor/checks/kubernetes-api.ts";
import { leader } from "../../operate/doctor/checks/leader.ts";
import { pods } from "../../operate/doctor/checks/pods.ts";
import { raft } from "../../operate/doctor/checks/raft.ts";
import { scheduling } from "../../operate/doctor/checks/scheduling.ts";
import { seal } from "../../operate/doctor/checks/seal.ts";
import { checks } from "../../operate/doctor/checks.ts";
import { diagnose, exitCodeOf } from "../../operate/doctor/diagnosis.ts";
import type { ClusterEvidence } from "../../operate/doctor/evidence/cluster.ts";
import type { Evidence } from "../../operate/doctor/evidence/evidence.ts";
import type { ClaimSeen } from "../../operate/views/kubernetes-view.ts";
import { evidenceOf, findings, podSeen, standby } from "../support/evidence.ts";
import { stateOf } from "../support/subject.ts";

// What tests on real nodes and a real cluster cannot make, or only at length; those are in test/vault and test/cluster.

const well = evidenceOf();
const cluster = (change: Partial<ClusterEvidence>): Evidence["cluster"] => ({
  value: { ...(well.cluster?.value as ClusterEvidence), ...change },
});

it("a stack that is well has no finding in any check", () => {
  const diagnosis = diagnose(evidenceOf());
  assert.deepEqual([diagnosis.findings, diagnosis.notLookedAt], [[], []]);
  assert.equal(exitCodeOf(diagnosis), 0);
  assert.equal(diagnosis.lookedAt.length, checks.length);
});

it("what could not be looked at is said, and is no success", () => {
  const diagnosis = diagnose(evidenceOf({ disks: { "vault-1": { failed: "no answer within 8 s" } } }));
  assert.deepEqual(diagnosis.notLookedAt, ["the disk of vault-1: no answer within 8 s"]);
  assert.equal(exitCodeOf(diagnosis), 1);
});

describe("a claim", () => {
  const bound: ClaimSeen = {
    name: "data-vault-1",
    uid: "uid-1",
    phase: "Bound",
    createdAt: "2026-01-03T00:00:00Z",
  };
  const kinds = (claim: ClaimSeen, more: Parameters<typeof evidenceOf>[0] = {}) =>
    findings(claims, { kubernetes: { value: { pods: {}, claims: [claim] } }, ...more }).map(({ id }) => id);

  it("that was made with the release, or that the state knows, is well", () => {
    assert.deepEqual(kinds(bound), []);
    const known = { resources: stateOf(["vault-1"], {}, { STORES: "vault-1=uid-1" }) };
    assert.deepEqual(kinds({ ...bound, createdAt: "2025-01-01T00:00:00Z" }, known), []);
  });

  it("that is older than the release and that nobody knows is of an earlier one", () => {
    const [finding] = findings(claims, {
      kubernetes: { value: { pods: {}, claims: [{ ...bound, createdAt: "2026-01-01T00:00:00Z" }] } },
    });
    assert.equal(finding?.id, "claim-old");
    assert.equal(finding?.since, "2026-01-01T00:00:00Z");
    assert.match(finding?.next.at(-1) ?? "", /delete pvc\/data-vault-1 pod\/vault-1/);
  });

  it("that is another than the state knows is told with both", () => {
    const resources = stateOf(["vault-1"], {}, { STORES: "vault-1=uid-of-before" });
    const [finding] = findings(claims, { resources, kubernetes: { value: { pods: {}, claims: [bound] } } });
    assert.equal(finding?.id, "claim-other");
    assert.deepEqual(
      finding?.evidence.map(({ answered }) => answered),
      ["uid-of-before", "uid-1"],
    );
  });

  it("whose volume was deleted is lost", () => {
    assert.deepEqual(kinds({ ...bound, phase: "Lost" }), ["claim-lost"]);
  });

  it("that is not for Vault's data is not looked at", () => {
    assert.deepEqual(kinds({ ...bound, name: "backups", phase: "Pending" }), []);
  });
});

describe("the cluster", () => {
  it("that Docker has not, though the state knows it, is gone", () => {
    const [finding] = findings(engine, { engine: { value: [] } });
    assert.equal(finding?.id, "cluster-gone");
    // The keys are the last copy: they come first.
    assert.match(finding?.next[0] ?? "", /^cp .*vault-init\.json/);
  });

  it("whose engine does not answer is told once", () => {
    const found = findings(engine, { engine: { failed: "docker ps --all failed: Cannot connect" } });
    assert.deepEqual(
      found.map(({ id }) => id),
      ["engine-unanswered"],
    );
  });

  it("whose worker is stopped has its pods named", () => {
    const nodes = [
      { id: "1", name: "c-control-plane", running: true },
      { id: "2", name: "worker", running: false },
    ];
    const [finding] = findings(engine, { engine: { value: nodes } });
    assert.deepEqual(finding?.nodes, ["vault-0", "vault-1", "vault-2"]);
  });

  it("has a node that is not ready, since when, and whose pods suffer", () => {
    const condition = {
      type: "Ready",
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: "2026-01-05T00:00:00Z",
    };
    const node = { metadata: { name: "worker" }, spec: {}, status: { conditions: [condition] } };
    const [finding] = findings(kubeNodes, { cluster: cluster({ nodes: [node] }) });
    assert.equal(finding?.id, "kubernetes-node-not-ready");
    assert.equal(finding?.since, "2026-01-05T00:00:00Z");
    assert.equal(finding?.nodes.length, 3);
  });

  it("has a service that hides sealed pods, and the patch that shows them", () => {
    const internal = { spec: { publishNotReadyAddresses: false } };
    const [finding] = findings(internalServices, {
      cluster: cluster({ internal, endpoints: ["vault-0", "vault-2"] }),
    });
    assert.deepEqual(finding?.nodes, ["vault-1"]);
    assert.match(finding?.next.join() ?? "", /publishNotReadyAddresses":true/);
  });

  for (const [message, meaning] of [
    ["0/4 nodes: 3 node(s) didn't match pod anti-affinity rules", /no two Vault pods on one node/],
    ["0/4 nodes: 3 Insufficient memory", /as much memory or CPU/],
    [
      "0/4 nodes: 1 node(s) didn't match PersistentVolume's node affinity: volume node affinity conflict",
      /its data is/,
    ],
  ] as const)
    it(`gives a pod no node, and it is said what that means: ${message}`, () => {
      const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
      const pod = podSeen("vault-1");
      pod.object = { ...pod.object, status: { conditions } };
      const [finding] = findings(scheduling, {
        kubernetes: { value: { pods: { "vault-1": pod }, claims: [] } },
      });
      assert.match(finding?.means ?? "", meaning);
    });
});

describe("a store that is lost", () => {
  const resources = stateOf(
    ["vault-0", "vault-1", "vault-2"],
    {},
    { STORES: "vault-0=old-0 vault-1=old-1 vault-2=old-2" },
  );
  const claim = (node: string, uid: string) => ({ name: `data-${node}`, uid, phase: "Bound" });
  const pods = {
    "vault-0": podSeen("vault-0", { claim: claim("vault-0", "old-0") }),
    "vault-1": podSeen("vault-1", { claim: claim("vault-1", "new-1") }),
    "vault-2": podSeen("vault-2", { claim: claim("vault-2", "new-2") }),
  };
  const blank = { ...standby, initialised: false, state: "not initialised" as const };

  it("is given up together with every other that is: the stack refuses as long as one is not", () => {
    const vault = { ...well.vault, "vault-1": { value: blank }, "vault-2": { value: blank } };
    const found = findings(seal, { resources, kubernetes: { value: { pods, claims: [] } }, vault });
    assert.deepEqual(
      found.map(({ id, nodes }) => [id, ...nodes]),
      [
        ["blank-store", "vault-1"],
        ["blank-store", "vault-2"],
      ],
    );
    assert.match(found[0]?.next[0] ?? "", /operator raft remove-peer vault-1/);
    assert.deepEqual(found[0]?.next.slice(1), [
      "pulumi config set vault.giveUp old-1,old-2 --stack dev",
      "npm run up",
      "pulumi config rm vault.giveUp --stack dev",
    ]);
  });

  it("is not given up where nobody leads: what can be done is said with the quorum", () => {
    const vault = { ...well.vault, "vault-0": { value: { ...standby } }, "vault-1": { value: blank } };
    const [finding] = findings(seal, { resources, vault, raft: { failed: "no leader" } });
    assert.match(finding?.next.join() ?? "", /^# the others have no leader: quorum-lost/);
  });
});

describe("a limit", () => {
  for (const [usedPercent, id] of [
    [85, undefined],
    [86, "disk-filling"],
    [95, "disk-filling"],
    [96, "disk-full"],
  ] as const)
    it(`of a disk: ${usedPercent} % used is ${id ?? "well"}`, () => {
      const disks = {
        "vault-1": { value: { folder: "/vault/data", usedPercent, usedKiB: 0, availableKiB: 1024 } },
      };
      assert.equal(findings(disk, { disks })[0]?.id, id);
    });

  for (const [clockAheadMs, clockSkewMs, wrong] of [
    [30_000, 0, undefined],
    [-30_000, -30_000, undefined],
    [30_001, 0, /30 s ahead of this machine's/],
    [-61_000, 0, /61 s behind this machine's/],
    [0, 45_000, /45 s behind the leader's/],
    [0, -45_000, /45 s ahead of the leader's/],
  ] as const)
    it(`of a clock: ${clockAheadMs} ms ahead of here, ${clockSkewMs} ms behind the leader is ${wrong ?? "well"}`, () => {
      const vault = { "vault-1": { value: { ...standby, clockAheadMs, clockSkewMs } } };
      const [finding] = findings(clock, { vault });
      if (wrong === undefined) assert.equal(finding, undefined);
      else assert.match(finding?.wrong ?? "", wrong);
    });
});

describe("the keys", () => {
  it("that were changed on purpose come into the state with the next update", () => {
    const changedAt = "2026-02-01T00:00:00Z";
    const value = { ...(well.journal.value as object), changedAt } as Evidence["journal"]["value"];
    const [finding] = findings(keys, { sameKeys: { value: false }, journal: { value } });
    assert.equal(finding?.id, "keys-differ");
    assert.deepEqual(finding?.next, ["npm run up -- --stack dev"]);
    const [unexplained] = findings(keys, { sameKeys: { value: false } });
    assert.match(unexplained?.next.join() ?? "", /pulumi stack output shares/);
  });

  it("are not called unfit for the number that a standby tells from before a rekey", () => {
    const [pod, of3] = [
      "vault-0",
      { ...(well.journal.value as object), shares: 3 } as Evidence["journal"]["value"],
    ];
    const leads = {
      value: { ...(well.vault[pod]?.value as object), shares: 3 },
    } as Evidence["vault"][string];
    const rekeyed = { journal: { value: of3 }, vault: { ...well.vault, [pod]: leads } };
    assert.deepEqual(findings(keys, rekeyed), []);
    assert.equal(findings(keys, { journal: { value: of3 } })[0]?.id, "keys-do-not-fit");
  });

  const entry = { pod: "vault-0", intendedAt: "2026-01-01T00:00:00Z", shares: 5, threshold: 3 };

  it("of an answer that never reached the disk are lost, and the page with the way out is named", () => {
    const [finding] = findings(journal, { journal: { value: { ...entry, shares: 0 } } });
    assert.equal(finding?.id, "answer-lost");
    assert.match(finding?.means ?? "", /docs\/init\.md/);
  });

  it("of another Vault are known by its id, without a share being sent", () => {
    const value = { ...entry, initialisedAt: "2026-01-01T00:00:01Z", clusterId: "another" };
    const [finding] = findings(keys, { journal: { value } });
    assert.equal(finding?.id, "keys-other-vault");
    assert.deepEqual(
      finding?.evidence.map(({ answered }) => answered),
      ["another", "one"],
    );
  });

  it("that cannot be compared are told as not looked at", () => {
    const answers = [...keys.find(evidenceOf({ sameKeys: { failed: "pulumi stack output: passphrase" } }))];
    assert.deepEqual(answers, [{ notLooked: "the keys in Pulumi's state: pulumi stack output: passphrase" }]);
  });
});

describe("raft", () => {
  it("has a node that joined and has no vote", () => {
    const value = well.raft.value ?? assert.fail();
    const servers = value.servers.map((server) =>
      server.node === "vault-2" ? { ...server, voter: false, stableSince: "2026-01-06T00:00:00Z" } : server,
    );
    const [finding] = findings(raft, { raft: { value: { ...value, servers } } });
    assert.equal(finding?.id, "non-voter");
    assert.equal(finding?.since, "2026-01-06T00:00:00Z");
  });

  it("is of two Vaults where a node was initialised by itself", () => {
    const vault = { ...well.vault, "vault-2": { value: { ...standby, clusterId: "two", leads: true } } };
    assert.deepEqual(
      findings(leader, { vault }).map(({ id }) => id),
      ["two-leaders", "two-clusters"],
    );
  });

  it("has a majority and no leader: the election is waited for, no recovery is offered", () => {
    const vault = { ...well.vault, "vault-0": { value: { ...standby, leaderAddress: "" } } };
    const [finding] = findings(leader, { vault });
    assert.equal(finding?.id, "no-leader");
    assert.doesNotMatch(finding?.next.join() ?? "", /peers\.json/);
  });

  it("has lost every voter's store: no peers.json is written for nobody", () => {
    const gone = { failed: "no connection" };
    const sealed = { value: { ...standby, sealed: true, state: "removed" as const, leads: false } };
    const [finding] = findings(leader, {
      raft: { failed: "no node is unsealed" },
      vault: { "vault-0": sealed, "vault-1": gone, "vault-2": gone },
    });
    assert.equal(finding?.id, "quorum-lost");
    assert.match(finding?.next.at(-1) ?? "", /no voter is left that answers with a store/);
  });

  it("tells a recovery with the addresses that the last up saw", () => {
    const peers = ["vault-0", "vault-1", "vault-2"].map((node) => ({
      node,
      address: `${node}.elsewhere:8201`,
    }));
    const [finding] = findings(leader, {
      resources: stateOf(["vault-0", "vault-1", "vault-2"], {}, {}, peers),
      raft: { failed: "no node is unsealed" },
      vault: {
        "vault-0": { value: { ...standby, sealed: true, state: "sealed", leads: false } },
        "vault-1": { failed: "gone" },
        "vault-2": { failed: "gone" },
      },
    });
    const lines = finding?.next ?? [];
    assert.ok(lines.includes("npm run recover quorum -- --dry-run"), lines.join("\n"));
    assert.ok(
      lines.includes(
        `echo '[{"id":"vault-0","address":"vault-0.elsewhere:8201","non_voter":false}]' | kubectl --kubeconfig .local/stacks/dev/kubeconfig --namespace vault exec -i vault-0 -- sh -c 'cat > /vault/data/raft/peers.json'`,
      ),
      lines.join("\n"),
    );
    // What can still be had without it comes first.
    assert.equal(lines[0], "npm run up");
  });
});

describe("what is not there", () => {
  it("is a Vault, where the run was ended before the cluster stood", () => {
    const subject = { ...well.subject, target: undefined };
    const [finding] = findings(kubernetesApi, { subject, kubernetes: { failed: "nothing" } });
    assert.equal(finding?.id, "no-vault");
    assert.deepEqual(finding?.next, ["npm run up"]);
  });

  it("is a journal that can be read: it is kept, and the state's shares are named", () => {
    const failed = "vault-init.json is not a keys file that this version knows (3 characters)";
    const found = findings(journal, { journal: { failed } });
    assert.deepEqual(
      found.map(({ id }) => id),
      ["journal-unreadable"],
    );
    assert.match(found[0]?.next.at(-1) ?? "", /^pulumi stack output shares --show-secrets/);
  });

  it("is a node's place in Raft, though it has data", () => {
    const servers = well.raft.value?.servers.filter(({ node }) => node !== "vault-2") ?? [];
    const view = { asked: "vault-0", failureTolerance: 0, servers };
    const [finding] = findings(raft, { raft: { value: view } });
    assert.deepEqual([finding?.id, finding?.nodes], ["not-in-raft", ["vault-2"]]);
  });

  it("is a running container, and the last event says what Kubernetes waits for", () => {
    const { container: _, ...waiting } = podSeen("vault-1", { phase: "Pending", ready: false });
    const kubernetes = { value: { pods: { "vault-1": waiting }, claims: [] } };
    const event = {
      involvedObject: { name: "vault-1" },
      reason: "FailedMount",
      message: "MountVolume.SetUp failed",
    };
    const found = findings(pods, { kubernetes, cluster: cluster({ events: [event] }) });
    const finding = found.find(({ nodes }) => nodes.includes("vault-1"));
    assert.equal(finding?.id, "pod-not-running");
    assert.match(JSON.stringify(finding?.evidence), /FailedMount: MountVolume\.SetUp failed/);
  });
});
