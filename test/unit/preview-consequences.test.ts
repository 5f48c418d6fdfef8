import assert from "node:assert/strict";
import { computed } from "../../operate/preview/change.ts";
import type { Consequence } from "../../operate/preview/consequence.ts";
import type { Judgement } from "../../operate/preview/judge.ts";
import { change, clusterId, judged, running } from "../support/plans.ts";

/** The one consequence of a judgement. */
function only({ consequences }: Judgement): Consequence {
  const [first, ...others] = consequences;
  assert.deepEqual(others, [], "there are more consequences");
  return first ?? assert.fail("there is no consequence");
}

const environment = (facts: Record<string, string>) => ({ environment: facts });
const unseal = (pod: string, before: string, after: string) =>
  change("update", `lifecycle-unseal-${pod}`, {
    before: environment({ CONTAINER: before }),
    after: environment({ CONTAINER: after }),
    differing: ["environment.CONTAINER"],
  });

describe("what a preview says of nothing", () => {
  it("is that it is safe", () => {
    const { verdict, goesOn, consequences, changes } = judged();
    assert.deepEqual(
      { verdict, goesOn, consequences, changes },
      { verdict: "safe", goesOn: true, consequences: [], changes: [] },
    );
  });

  it("names what is not known", () => {
    const unknown = ["Which node leads."];
    assert.deepEqual(judged({ running: { nodes: [], unknown } }).unknown, unknown);
  });
});

describe("what a preview says of a certificate", () => {
  it("is no change of authority where the release is made with it: a Vault whose keys were here before", () => {
    const made = ["vault-release", "vault-tls-authority", "vault-tls-certificate", "vault-tls-secret"];
    const { verdict, consequences } = judged({ changes: made.map((name) => change("create", name)) });
    assert.equal(verdict, "safe");
    assert.ok(consequences.some(({ says }) => says === "Vault's nodes begin with this certificate."));
  });
});

describe("what a preview says of another Vault", () => {
  const runningThese = (...versions: (string | undefined)[]) => ({
    ...running,
    nodes: running.nodes.map((node, at) => (versions[at] ? { ...node, version: versions[at] } : node)),
  });
  const to = (tag: string, ...versions: (string | undefined)[]) =>
    judged({ values: { "server.image.tag": tag }, running: runningThese(...versions) });

  it("that is newer: nothing but the restart", () => {
    assert.equal(only(to("2.0.4", "2.0.3", "2.0.3", "2.0.3")).verdict, "disruptive");
    assert.equal(only(to("2.0", "2.0.3", undefined, "2.0.3")).verdict, "disruptive");
  });

  it("that is older than what one node runs: that it is refused, by which node, and the way on", () => {
    const { goesOn, verdict, consequences } = to("2.0.2", "2.0.1", "2.0.3", "2.0.1");
    assert.deepEqual([goesOn, verdict], [false, "destructive"]);
    const [first] = consequences;
    assert.match(first?.says ?? "", /^vault-1 would be taken back to an older Vault/);
    assert.deepEqual(first?.because, ["Vault: 2.0.3 -> 2.0.2"]);
    assert.match(first?.refused?.why ?? "", /Put the image of 2\.0\.3, or a newer one, back/);
    assert.deepEqual(first?.refused?.next, ["npm run up -- --stack prod"]);
  });

  for (const tag of ["latest", "sha256:0123", ""])
    it(`that ${tag === "" ? "has no tag" : `is tagged ${tag}`}: that its version is not known, and guesses none`, () => {
      const { goesOn, consequences } = to(tag, "2.0.3", "2.0.3", "2.0.3");
      assert.equal(goesOn, true);
      const said = consequences.map(({ says }) => says);
      assert.ok(
        said.some((text) => /is not known: its tag, .*, says no version/.test(text)),
        `${said}`,
      );
    });

  it("that is older, while nothing of the release changes: nothing", () => {
    assert.deepEqual(judged({ running: runningThese("9.0.0", "9.0.0", "9.0.0") }).consequences, []);
  });
});

describe("what a preview says of a restart", () => {
  const says = (more: Parameters<typeof judged>[0]) =>
    only(judged({ values: { "server.image.tag": "2.0.4" }, ...more }));

  it("with another image: node by node, the leader last, each unsealed", () => {
    const { verdict, says: text, because } = says({});
    assert.equal(verdict, "disruptive");
    assert.match(
      text,
      /leader last: vault-0, then vault-2, then vault-1, which leads and hands over first\. 3 unseals; clients see one change of leader/,
    );
    assert.match(text, /\. A snapshot is saved first, into \.local\/stacks\/prod\/snapshots\.$/);
    assert.deepEqual(because, ["image: 2.0.3 -> 2.0.4"]);
  });

  it("speaks of no snapshot where nothing is restarted, or nobody could give one", () => {
    const config = "server.ha.raft.config";
    const alone = {
      running: { ...running, nodes: [{ name: "vault-0", sealed: true }] },
      config: { "vault.replicas": "1" },
      from: { "server.ha.replicas": 1 },
    };
    const { consequences } = judged({ values: { [config]: 'storage "raft" {}' } });
    for (const { says: text } of [...consequences, says(alone)]) assert.doesNotMatch(text, /snapshot/);
  });

  it("names no order where nobody is known to lead", () => {
    const nodes = running.nodes.map(({ name }) => ({ name }));
    const { says: text } = says({ running: { ...running, nodes } });
    assert.match(text, /vault-0, vault-1 and vault-2, the one that leads last/);
  });

  it("of a single node says that clients wait", () => {
    const { says: text } = says({
      running: { ...running, nodes: running.nodes.slice(0, 1) },
      config: { "vault.replicas": "1" },
      from: { "server.ha.replicas": 1 },
    });
    assert.match(text, /^vault-0 is restarted and unsealed\. No other node stands in for it/);
  });

  it("covers another chart, too", () => {
    const release = change("update", "vault-release", {
      before: { version: "0.34.1" },
      after: { version: "0.35.0" },
    });
    assert.deepEqual(only(judged({ changes: [release] })).because, ["version: 0.34.1 -> 0.35.0"]);
    const found = change("update", "vault-release", {
      before: { version: "0.34.1" },
      after: { version: computed },
    });
    assert.equal(only(judged({ changes: [found] })).verdict, "safe");
  });

  it("names the nodes that an earlier update has left as they were", () => {
    const nodes = running.nodes.map((node) => ({ ...node, outdated: node.name !== "vault-0" }));
    const rollout = change("update", "lifecycle-rollout", { differing: ["environment.RELEASE"] });
    const { verdict, says: text } = only(judged({ changes: [rollout], running: { ...running, nodes } }));
    assert.equal(verdict, "disruptive");
    assert.match(text, /vault-2, then vault-1, which leads .* 2 unseals/);
  });

  it("is none where only Vault's configuration is another one: each node reads it at its next start", () => {
    const config = 'storage "raft" {\n  path = "/vault/data"\n  performance_multiplier = 2\n}\n';
    const { consequences, verdict } = judged({ values: { "server.ha.raft.config": config } });
    assert.equal(verdict, "safe");
    assert.match(consequences[0]?.says ?? "", /No node is restarted for it/);
    assert.deepEqual(consequences[0]?.because, ["Vault's configuration: + performance_multiplier = 2"]);
  });

  it("is what brings a new configuration with it", () => {
    const { because } = says({
      values: { "server.image.tag": "2.0.4", "server.ha.raft.config": "ui = true" },
    });
    assert.equal(because[0], "image: 2.0.3 -> 2.0.4");
    assert.ok(because.includes("Vault's configuration: + ui = true"));
  });

  it("comes of a configuration whose hash the chart writes on the pods", () => {
    const to = { "server.ha.raft.config": "ui = true", "server.includeConfigAnnotation": true };
    const { verdict } = only(judged({ values: to, from: { "server.includeConfigAnnotation": true } }));
    assert.equal(verdict, "disruptive");
  });

  it("is none for a budget, and none for a service, of which clients are told", () => {
    const budget = judged({ values: { "server.ha.disruptionBudget.maxUnavailable": 1 } });
    assert.equal(budget.verdict, "safe");
    const service = judged({ values: { "ui.serviceType": "LoadBalancer" } });
    assert.equal(service.verdict, "disruptive");
    assert.match(
      service.consequences[0]?.says ?? "",
      /How clients reach Vault is changed \(ui\.serviceType\)\. No node is restarted/,
    );
  });
});

describe("what a preview says of a value", () => {
  it("is nothing where it takes away a default of the chart, as it did before: the state keeps no null", () => {
    const values = { "ui.serviceNodePort": null, "server.image.tag": "2.0.4" };
    assert.deepEqual(only(judged({ values })).because, ["image: 2.0.3 -> 2.0.4"]);
  });
});

describe("what a preview says of volumes", () => {
  for (const [what, to, cause] of [
    ["storage class", { "server.dataStorage.storageClass": "fast" }, "vault.storageClass: none -> fast"],
    ["storage size", { "server.dataStorage.size": "20Gi" }, "vault.storageSize: 10Gi -> 20Gi"],
    ["audit volume", { "server.auditStorage": { enabled: true } }, "audit.enabled: false -> true"],
  ] as const)
    it(`cannot be done in place: another ${what}`, () => {
      const { consequences, verdict, goesOn } = judged({ values: to });
      assert.equal(verdict, "destructive");
      assert.equal(goesOn, false);
      assert.match(consequences[0]?.says ?? "", /cannot be changed in place/);
      assert.equal(consequences[0]?.because[0], cause);
      assert.ok(consequences[0]?.refused?.next.includes("kubectl delete statefulset vault --cascade=orphan"));
    });

  it("goes by the values where nobody could look at the StatefulSet", () => {
    const { volumes: _, ...blind } = running;
    assert.equal(judged({ values: { "server.dataStorage.size": "20Gi" }, running: blind }).goesOn, false);
  });

  it("is refused however Vault is given up: no update can do it", () => {
    const config = { "vault.giveUp": clusterId };
    assert.equal(judged({ values: { "server.dataStorage.size": "20Gi" }, config }).goesOn, false);
  });

  it("lets the way back from a failed update, and a StatefulSet that is made anew", () => {
    const back = judged({
      from: { "server.dataStorage.size": "20Gi" },
      values: { "server.dataStorage.size": "10Gi" },
    });
    assert.deepEqual([back.verdict, back.goesOn], ["safe", true]);
    const anew = judged({
      values: { "server.dataStorage.size": "20Gi" },
      running: { ...running, volumes: [] },
    });
    assert.deepEqual([anew.verdict, anew.goesOn], ["safe", true]);
    assert.match(anew.consequences[0]?.says ?? "", /made anew, around the pods and volumes/);
  });
});

describe("what a preview says of another number of nodes", () => {
  const steps = (op: "create" | "delete", ...pods: string[]) =>
    pods.flatMap((pod) => ["join", "unseal", "voter"].map((step) => change(op, `lifecycle-${step}-${pod}`)));

  it("3 to 5: which join, and how many may fail", () => {
    const { verdict, says, because } = only(
      judged({
        values: { "server.ha.replicas": 5 },
        config: { "vault.replicas": "5" },
        changes: steps("create", "vault-3", "vault-4"),
      }),
    );
    assert.equal(verdict, "safe");
    assert.equal(
      says,
      "vault-3, then vault-4 join, one at a time: 2 joins, 2 unseals. Of 5 voters 2 may fail (of 3 now, 1).",
    );
    assert.deepEqual(because, ["vault.replicas: 3 -> 5"]);
  });

  it("5 to 3: which leave, in which order, who hands over, and how many may fail", () => {
    const nodes = [0, 1, 2, 3, 4].map((n) => ({ name: `vault-${n}`, sealed: false, leads: n === 3 }));
    const { verdict, says } = only(
      judged({
        values: { "server.ha.replicas": 3 },
        from: { "server.ha.replicas": 5 },
        running: { ...running, nodes },
        changes: steps("delete", "vault-3", "vault-4"),
      }),
    );
    assert.equal(verdict, "disruptive");
    assert.match(
      says,
      /^vault-4, then vault-3 leave the Raft cluster, one at a time, before their pods end\. vault-3 leads, and hands over first\. 3 voters remain, of which 1 may fail \(of 5 now, 2\)\. Their volumes go with their pods\.$/,
    );
  });

  it("5 to 3, where the last one leads: it leaves last", () => {
    const nodes = [0, 1, 2, 3, 4].map((n) => ({ name: `vault-${n}`, sealed: false, leads: n === 4 }));
    const { says } = only(
      judged({
        values: { "server.ha.replicas": 3 },
        from: { "server.ha.replicas": 5 },
        running: { ...running, nodes },
      }),
    );
    assert.match(says, /^vault-3, then vault-4 leave .* vault-4 leads, and hands over first/);
  });

  it("5 to 3, where a node leads that stays: nobody hands over", () => {
    const { says } = only(
      judged({
        values: { "server.ha.replicas": 3 },
        from: { "server.ha.replicas": 5 },
        changes: [change("update", "vault-leave"), ...steps("delete", "vault-3", "vault-4")],
      }),
    );
    assert.match(says, /^vault-4, then vault-3 leave/);
    assert.doesNotMatch(says, /hands over/);
  });

  it("3 to 1: that the one that remains may not fail", () => {
    const { says } = only(
      judged({
        values: { "server.ha.replicas": 1 },
        config: { "vault.replicas": "1" },
        changes: steps("delete", "vault-1", "vault-2"),
      }),
    );
    assert.match(
      says,
      /vault-2, then vault-1 leave.* vault-1 leads, and hands over first\. 1 voter remains, and it may not fail/,
    );
  });
});

describe("what a preview says of nodes that are not as they were", () => {
  it("those in another container are unsealed", () => {
    const nodes = running.nodes.map((node) => ({ ...node, sealed: node.name === "vault-2" }));
    const { verdict, says, because } = only(
      judged({
        running: { ...running, nodes },
        changes: [
          unseal("vault-2", "containerd://a", "containerd://b"),
          change("update", "lifecycle-verify"),
        ],
      }),
    );
    assert.deepEqual(
      [verdict, says, because],
      ["safe", "vault-2 is unsealed.", ["vault-2 runs in another container"]],
    );
  });

  it("one that somebody has unsealed already is not named", () => {
    const { consequences } = judged({ changes: [unseal("vault-2", "containerd://a", "containerd://b")] });
    assert.match(consequences[0]?.says ?? "", /^1 step runs again/);
  });

  it("another store is refused, and all that differ are given up by one command", () => {
    const found = { STORES: "vault-0=store-0 vault-1=blank-1 vault-2=blank-2", KUBERNETES: "k" };
    const known = { STORES: "vault-0=store-0 vault-1=store-1 vault-2=store-2", KUBERNETES: "k" };
    const identity = change("update", "lifecycle-identity", {
      before: environment(known),
      after: environment(found),
    });
    const { consequences, goesOn } = judged({ changes: [identity] });
    assert.equal(goesOn, false);
    assert.deepEqual(
      consequences.map(({ says }) => says),
      [
        "vault-1 runs on another store than the stack knows. Known: store-1; found: blank-1.",
        "vault-2 runs on another store than the stack knows. Known: store-2; found: blank-2.",
      ],
    );
    for (const { refused } of consequences)
      assert.equal(refused?.next[0], "pulumi config set vault.giveUp store-1,store-2 --stack prod");
    const given = judged({ changes: [identity], config: { "vault.giveUp": "store-1,store-2" } });
    assert.deepEqual([given.goesOn, given.verdict, given.consequences.length], [true, "destructive", 2]);
    assert.match(given.consequences[0]?.says ?? "", /The known one is given up: what it held is lost/);
  });

  it("another Vault, or another cluster, is refused; the second cannot be given up", () => {
    const differing = (name: string, fact: string) =>
      change("update", name, {
        before: environment({ [fact]: clusterId }),
        after: environment({ [fact]: "other" }),
      });
    const giveUp = { "vault.giveUp": clusterId };
    const vault = [differing("lifecycle-verify", "VAULT")];
    assert.deepEqual(
      [judged({ changes: vault }).goesOn, judged({ changes: vault, config: giveUp }).goesOn],
      [false, true],
    );
    const cluster = [differing("lifecycle-identity", "KUBERNETES")];
    assert.deepEqual(
      [judged({ changes: cluster }).goesOn, judged({ changes: cluster, config: giveUp }).goesOn],
      [false, false],
    );
  });

  it("what nobody could ask is no other store", () => {
    const known = environment({ STORES: "vault-0=store-0", KUBERNETES: "k" });
    for (const answer of ["unknown", computed]) {
      const found = environment({ STORES: answer, KUBERNETES: answer });
      const { verdict } = judged({
        changes: [change("update", "lifecycle-identity", { before: known, after: found })],
      });
      assert.equal(verdict, "safe");
    }
  });
});

describe("what a preview says of settings that count no more, or too much", () => {
  it("shares and threshold have no effect after init", () => {
    const { verdict, because, says } = only(
      judged({ config: { "vault.shares": "7", "vault.threshold": "4" } }),
    );
    assert.equal(verdict, "safe");
    assert.deepEqual(because, [
      "vault.shares is 7, and Vault has 5",
      "vault.threshold is 4, and Vault's is 3",
    ]);
    assert.match(says, /at initialisation only.*rekey/);
  });

  it("vault.giveUp that names what is in use is to be taken out", () => {
    const { verdict, says } = only(judged({ config: { "vault.giveUp": clusterId } }));
    assert.equal(verdict, "safe");
    assert.match(
      says,
      /is in use: its loss would not be refused\. .*pulumi config rm vault\.giveUp --stack prod/,
    );
    assert.deepEqual(judged({ config: { "vault.giveUp": "long-gone" } }).consequences, []);
  });
});
