import assert from "node:assert/strict";
import type { Change } from "../../operate/preview/change.ts";
import { change, clusterId, judged, running, stores } from "../support/plans.ts";

/** Everything in a cluster that is replaced, as a preview has it. */
const replaced = [
  ...["cluster-create", "cluster-provider", "vault-namespace", "vault-release", "lifecycle-init-vault-0"],
  ...["ingress-release", "vault-ingress", "lifecycle-verify"],
].map((name) => change("replace", name));

describe("what a preview says of a cluster that is replaced", () => {
  const clusterCauses = ["cluster.ports.http: 8080 -> 80"];

  it("is one thing: all data is lost, with the setting that causes it, and the way to go on", () => {
    const { consequences, verdict, goesOn } = judged({ changes: replaced, clusterCauses });
    assert.deepEqual([verdict, goesOn, consequences.length], ["destructive", false, 1]);
    const [{ says, because, refused } = assert.fail()] = consequences;
    assert.match(says, /all of Vault's data is lost, unless a snapshot is taken first/);
    assert.deepEqual(because, clusterCauses);
    assert.deepEqual(refused?.next, [
      "take a snapshot",
      `pulumi config set vault.giveUp ${clusterId} --stack prod`,
      "npm run up -- --stack prod",
    ]);
  });

  it("goes on where the Vault, or each of its stores, is given up, and stays destructive", () => {
    for (const giveUp of [clusterId, Object.values(stores).join(",")]) {
      const { verdict, goesOn } = judged({ changes: replaced, config: { "vault.giveUp": giveUp } });
      assert.deepEqual([giveUp, verdict, goesOn], [giveUp, "destructive", true]);
    }
    assert.equal(judged({ changes: replaced, config: { "vault.giveUp": "store-0,store-1" } }).goesOn, false);
  });

  it("names the stores where no run came so far as to know the Vault's id", () => {
    const { consequences } = judged({ changes: replaced, vault: { stores: { "vault-0": "store-0" } } });
    assert.ok(consequences[0]?.refused?.next.includes("pulumi config set vault.giveUp store-0 --stack prod"));
  });

  it("is safe before a Vault was initialised in it", () => {
    const { verdict, consequences } = judged({ changes: replaced, vault: undefined });
    assert.equal(verdict, "safe");
    assert.match(consequences[0]?.says ?? "", /No Vault was initialised in it yet/);
  });

  it("that is deleted can only be taken down: it is refused, given up or not", () => {
    const deleted = replaced.map((each) => ({ ...each, op: "delete" as const }));
    const { goesOn, consequences } = judged({ changes: deleted, config: { "vault.giveUp": clusterId } });
    assert.equal(goesOn, false);
    assert.deepEqual(consequences[0]?.because, ["cluster.driver: kind -> existing"]);
    assert.ok(consequences[0]?.refused?.next.includes("npm run down -- --stack prod"));
  });

  it("and of one that is only looked at again, says that more seems to change than does", () => {
    const { verdict, consequences } = judged({
      changes: [
        change("update", "cluster-create", { differing: ["stdin"] }),
        change("update", "vault-release", { differing: ["values.server"] }),
        change("update", "ingress-release"),
        change("replace", "lifecycle-init-vault-0"),
      ],
    });
    assert.equal(verdict, "safe");
    assert.match(consequences[0]?.says ?? "", /more seems to change than does/);
    assert.match(consequences[1]?.says ?? "", /Helm brings the release to its values once more/);
    assert.equal(consequences.length, 2);
  });
});

describe("what a preview says of Vault's namespace and release", () => {
  const names = (name: string) => ({ metadata: { name } });
  const moved = (retained: boolean): Change[] => [
    change("replace", "vault-namespace", { before: names("vault"), after: names("other"), retained }),
    change("replace", "vault-release", { before: { namespace: "vault" }, after: { namespace: "other" } }),
    change("update", "lifecycle-identity"),
  ];

  it("replaced: the data is lost, or left behind, and no update goes on", () => {
    for (const [retained, words] of [
      [false, /namespace and release are replaced: all of Vault's data is lost/],
      [true, /this Vault ends\. Its volumes stay in the namespace vault/],
    ] as const) {
      const { goesOn, consequences } = judged({
        changes: moved(retained),
        config: { "vault.giveUp": clusterId },
      });
      assert.equal(goesOn, false);
      assert.match(consequences[0]?.says ?? "", words);
      assert.deepEqual(consequences[0]?.because, ["vault.namespace: vault -> other"]);
    }
  });

  it("replaced: have nothing else to say of what is inside", () => {
    const inside = {
      from: { "server.ha.replicas": 5, "global.tlsDisable": true },
      values: { "global.tlsDisable": false },
    };
    const { consequences } = judged({ ...inside, changes: moved(false) });
    assert.equal(consequences.length, 1);
  });

  it("deleted: the same", () => {
    const { verdict, goesOn } = judged({ changes: [change("delete", "vault-release")] });
    assert.deepEqual([verdict, goesOn], ["destructive", false]);
  });
});

describe("what a preview says of TLS", () => {
  it("turned on: clients have to change, and the nodes are restarted", () => {
    const { consequences } = judged({
      from: { "global.tlsDisable": true },
      values: { "global.tlsDisable": false, "server.volumes": [{ name: "vault-tls" }] },
      changes: [change("create", "vault-tls-secret"), change("update", "vault-ingress")],
    });
    assert.deepEqual(
      consequences.map(({ verdict, because }) => [verdict, because]),
      [
        ["disruptive", ["vault.tls.enabled: false -> true"]],
        ["disruptive", ["vault.tls.enabled: false -> true"]],
      ],
    );
    assert.match(consequences[0]?.says ?? "", /rolling restart/);
    assert.match(consequences[1]?.says ?? "", /HTTPS instead of HTTP.*\.local\/stacks\/prod\/vault-ca\.crt/);
  });

  it("turned off: that tokens travel in clear", () => {
    const { consequences } = judged({
      values: { "global.tlsDisable": true },
      changes: [change("delete", "vault-tls-authority")],
    });
    assert.match(consequences[1]?.says ?? "", /HTTP instead of HTTPS: tokens and secrets travel in clear/);
  });

  it("a renewed certificate is taken up without a restart, and why it is renewed", () => {
    const certificate = change("update", "vault-tls-certificate", { differing: ["environment.TERM"] });
    const rollout = change("update", "lifecycle-rollout", { differing: ["environment.CERTIFICATE"] });
    const { verdict, consequences } = judged({ changes: [certificate, rollout] });
    assert.deepEqual([verdict, consequences.length], ["safe", 1]);
    assert.match(
      consequences[0]?.says ?? "",
      /take it up one after the other, the leader last\. None is restarted/,
    );
    assert.deepEqual(consequences[0]?.because, ["the certificate's term is over"]);
  });

  it("another source is another authority, which clients have to trust", () => {
    const { verdict, consequences } = judged({
      changes: [change("delete", "vault-tls-authority"), change("delete", "vault-tls-certificate")],
    });
    assert.equal(verdict, "disruptive");
    assert.deepEqual(consequences[0]?.because, ["vault.tls.source: selfSigned -> files"]);
  });

  it("a note on the Secret concerns nobody", () => {
    const { consequences } = judged({
      changes: [change("update", "vault-tls-secret", { differing: ["metadata.annotations"] })],
    });
    assert.match(consequences[0]?.says ?? "", /and not what it holds/);
  });
});

describe("what a preview says of the edge", () => {
  const host = (name: string) => ({ spec: { rules: [{ host: name }] } });

  it("another controller is a short gap there", () => {
    const release = change("update", "ingress-release", {
      before: { chart: "ingress-nginx" },
      after: { chart: "charts/traefik" },
    });
    const { verdict, consequences } = judged({ changes: [release] });
    assert.equal(verdict, "disruptive");
    assert.match(
      consequences[0]?.says ?? "",
      /short gap for vault\.localhost and whoami\.localhost\. Vault's own port is not concerned/,
    );
    assert.deepEqual(consequences[0]?.because, ["ingress.controller: nginx -> traefik"]);
  });

  it("another host is another name for clients", () => {
    const ingress = change("update", "vault-ingress", { before: host("a"), after: host("b") });
    const { verdict, consequences } = judged({ changes: [ingress] });
    assert.deepEqual([verdict, consequences[0]?.because], ["disruptive", ["vault.host: a -> b"]]);
  });

  it("the test application is nobody's concern", () => {
    const { verdict, consequences } = judged({
      changes: [change("delete", "whoami-deployment"), change("delete", "whoami-service")],
    });
    assert.equal(verdict, "safe");
    assert.match(consequences[0]?.says ?? "", /is taken away/);
  });
});

describe("what a preview says of the rest", () => {
  it("a first raising, whose every resource is made, is one thing", () => {
    const made = ["cluster-create", "vault-release", "lifecycle-init-vault-0"].map((name) =>
      change("create", name),
    );
    const { verdict, consequences } = judged({ changes: made, vault: undefined });
    assert.deepEqual([verdict, consequences.length], ["safe", 1]);
    assert.match(consequences[0]?.says ?? "", /^A Vault is raised: 3 nodes, initialised/);
  });

  it("steps that run again are counted, and are safe", () => {
    const steps = ["lifecycle-identity", "lifecycle-voter-vault-1", "vault-leave"].map((name) =>
      change("update", name),
    );
    const { verdict, consequences } = judged({ changes: steps });
    assert.equal(verdict, "safe");
    assert.match(consequences[0]?.says ?? "", /^3 steps run again/);
  });

  it("what becomes of the keys at the end", () => {
    const { verdict, consequences } = judged({ changes: [change("create", "lifecycle-keys")] });
    assert.equal(verdict, "safe");
    assert.match(consequences[0]?.says ?? "", /npm run down will take Vault's volumes and keys/);
  });

  it("what no rule knows is named, and is never safe where something ends", () => {
    const verdicts = (op: Change["op"], type: string, more: Partial<Change> = {}) =>
      judged({ changes: [change(op, "stranger", { type, ...more })] });
    const service = "kubernetes:core/v1:Service";
    const claim = "kubernetes:core/v1:PersistentVolumeClaim";
    for (const [op, type, verdict] of [
      ["create", service, "safe"],
      ["update", service, "disruptive"],
      ["delete", service, "disruptive"],
      ["replace", service, "disruptive"],
      ["replace", claim, "destructive"],
      ["delete", claim, "destructive"],
    ] as const) {
      const { consequences } = verdicts(op, type);
      assert.equal(consequences[0]?.verdict, verdict, `${op} ${type}`);
      assert.match(consequences[0]?.says ?? "", /^stranger \(/);
    }
    assert.equal(
      verdicts("delete", "command:local:Command", { before: { delete: "rm" } }).verdict,
      "destructive",
    );
    assert.equal(verdicts("delete", claim, { retained: true }).verdict, "disruptive");
    assert.equal(verdicts("delete", claim).goesOn, false);
    const given = judged({
      changes: [change("delete", "stranger", { type: claim })],
      config: { "vault.giveUp": clusterId },
    });
    assert.equal(given.goesOn, true);
  });

  it("a step that is begun anew beside a Vault that stands is not safe", () => {
    assert.equal(
      judged({ changes: [change("replace", "lifecycle-init-vault-0")], running }).verdict,
      "disruptive",
    );
  });
});
