import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { confirmLoss } from "../../operate/migrate/confirm-loss.ts";
import type { Standalone, StandaloneSet } from "../../operate/migrate/found.ts";
import { dataFolder, migrationPod } from "../../operate/migrate/migration-pod.ts";
import { auditProblems, isNewer, standaloneProblems } from "../../operate/migrate/problems.ts";
import { type Record, readRecord, recordPath, writeRecord } from "../../operate/migrate/record.ts";
import { endText, lossText, planText } from "../../operate/migrate/text.ts";

const set: StandaloneSet = {
  spec: {
    replicas: 1,
    template: {
      spec: {
        serviceAccountName: "vault",
        securityContext: { runAsUser: 100, fsGroup: 1000 },
        nodeSelector: { disk: "fast" },
        volumes: [
          { name: "config", configMap: { name: "vault-config" } },
          { name: "home", emptyDir: {} },
          { name: "audit", persistentVolumeClaim: { claimName: "audit-vault-0" } },
        ],
        containers: [
          {
            name: "vault",
            image: "hashicorp/vault:1.21.1",
            securityContext: { readOnlyRootFilesystem: true },
            env: [{ name: "SOME_TOKEN", value: "MARKED-SECRET" }],
            volumeMounts: [
              { name: "data", mountPath: "/vault/file" },
              { name: "config", mountPath: "/vault/config" },
              { name: "audit", mountPath: "/vault/audit" },
            ],
          },
        ],
      },
    },
    volumeClaimTemplates: [],
  },
};
const well: Standalone = {
  release: {
    status: "deployed",
    chart: { name: "vault", version: "0.30.0" },
    values: {},
    defaults: {},
    objects: [],
    secrets: [],
  },
  owner: undefined,
  set,
  volumes: [{ name: "data", size: "10Gi" }],
  scheme: "http",
  claim: "uid-of-data-vault-0",
  vault: {
    type: "shamir",
    initialized: true,
    sealed: false,
    t: 3,
    n: 5,
    version: "1.21.1",
    storage_type: "file",
  },
};
const wanted = { stack: "prod", namespace: "vault", version: "1.21.1", keepsData: true };
const problems = (found: Partial<Standalone>, more: Partial<typeof wanted> = {}) =>
  standaloneProblems({ ...well, ...found }, { ...wanted, ...more });
const vault = (change: Partial<NonNullable<Standalone["vault"]>>) => ({
  vault: { ...(well.vault as NonNullable<Standalone["vault"]>), ...change },
});

describe("a Standalone that is to be migrated", () => {
  it("is fine as the chart makes it", () => {
    assert.deepEqual(problems({}), []);
    assert.deepEqual(problems({ owner: "prod" }), []);
    assert.deepEqual(problems(vault({ version: "1.15.2" })), []);
  });

  for (const [what, change, words] of [
    ["of another stack", { owner: "other" }, /belongs to the stack other/],
    ["that Helm does not know", { release: undefined }, /knows no release vault/],
    ["that is not there", { set: undefined }, /there is no StatefulSet vault/],
    [
      "of several nodes",
      { set: { ...set, spec: { ...set.spec, replicas: 3 } } },
      /no Standalone[\s\S]*adopt/,
    ],
    ["over HTTPS", { scheme: "https" }, /speaks HTTPS/],
    ["without a volume", { claim: undefined }, /on no volume of its own/],
    ["that does not answer", { vault: undefined }, /does not answer/],
    ["that was never initialised", vault({ initialized: false }), /--begin-anew/],
    ["on Raft", vault({ storage_type: "raft" }), /in Raft already[\s\S]*adopt/],
    ["on another storage", vault({ storage_type: "consul" }), /storage consul; only file/],
    ["with a seal of its own", vault({ type: "awskms" }), /unsealed by awskms/],
    ["that is sealed", vault({ sealed: true }), /it is sealed[\s\S]*operator unseal/],
    ["newer than the program's", vault({ version: "1.22.0" }), /newer than the 1\.21\.1/],
  ] as [string, Partial<Standalone>, RegExp][])
    it(`is refused ${what}, and nothing else is said`, () => {
      const found = problems(change);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", words);
    });

  it("is told everything that is wrong at once", () => {
    assert.equal(problems({ owner: "other", scheme: "https", ...vault({ sealed: true }) }).length, 3);
  });

  it("may be sealed, lost or on any storage where its data is not wanted", () => {
    for (const found of [
      { vault: undefined },
      vault({ sealed: true, storage_type: "consul" }),
      { claim: undefined },
    ])
      assert.deepEqual(problems(found, { keepsData: false }), []);
    assert.equal(problems({ owner: "other" }, { keepsData: false }).length, 1);
  });

  it("is newer by its numbers, as far as both have some", () => {
    assert.equal(isNewer("1.21.2", "1.21.1"), true);
    assert.equal(isNewer("1.9.0", "1.21.1"), false);
    assert.equal(isNewer("2.0.0", "1.21.1"), true);
    assert.equal(isNewer("1.21.1+ent", "1.21.1"), false);
    assert.equal(isNewer("latest", "1.21.1"), false);
  });

  it("may have only audit devices that the stack's nodes can write: Vault would not unseal", () => {
    const at = { stack: "prod", namespace: "vault" };
    const device = (file_path?: string) => ({ options: { ...(file_path && { file_path }) } });
    const own = { "file/": device("/vault/audit/audit.log") };
    assert.deepEqual(
      auditProblems({ "a/": device("stdout"), "syslog/": device() }, { ...at, audits: false }),
      [],
    );
    assert.deepEqual(auditProblems(own, { ...at, audits: true }), []);
    assert.match(
      auditProblems(own, { ...at, audits: false }).join(),
      /config set audit\.enabled true --stack prod/,
    );
    const elsewhere = { "file/": device("/var/log/vault.log") };
    assert.match(auditProblems(elsewhere, { ...at, audits: true }).join(), /vault audit disable file\//);
  });
});

describe("the pod on a Standalone's volume", () => {
  const { spec } = migrationPod(set, "vault");

  it("has the Standalone's image and user, its claim, and no other", () => {
    assert.equal(spec.containers[0]?.image, "hashicorp/vault:1.21.1");
    const claims = spec.volumes.filter((each) => "persistentVolumeClaim" in each);
    assert.deepEqual(claims, [{ name: "data", persistentVolumeClaim: { claimName: "data-vault-0" } }]);
    assert.deepEqual(
      Object.entries(spec).filter(([key]) => /security|Selector/.test(key)),
      [
        ["securityContext", { runAsUser: 100, fsGroup: 1000 }],
        ["nodeSelector", { disk: "fast" }],
      ],
    );
    assert.equal(dataFolder(set), "/vault/file");
  });

  it("has a folder for its work where the image's own is read-only, and nothing that it does not need", () => {
    assert.deepEqual(
      spec.containers[0]?.volumeMounts.map(({ name }) => name),
      ["migrate-work", "data", "config"],
    );
    assert.doesNotMatch(JSON.stringify(spec), /MARKED-SECRET|serviceAccount"/);
    assert.equal(spec.automountServiceAccountToken, false);
  });
});

describe("the record of a migration", () => {
  const record: Record = {
    version: 1,
    way: "keep data",
    namespace: "vault",
    set,
    settings: { "vault.storageSize": "10Gi" },
    reached: "begun",
  };

  it("is readable by its owner alone, and is read as it was written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vault-ha-record-"));
    try {
      assert.equal(readRecord(folder), undefined);
      await writeRecord(folder, record);
      assert.deepEqual(readRecord(folder), record);
      assert.equal(statSync(recordPath(folder)).mode & 0o777, 0o600);
      writeFileSync(recordPath(folder), JSON.stringify({ ...record, reached: "somewhere" }));
      assert.throws(() => readRecord(folder), /no record of a migration that this version knows/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what npm run migrate says", () => {
  const told = { stack: "prod", namespace: "vault", found: well };

  it("first is from when nobody is served, and how they are served again", () => {
    assert.match(
      planText(told),
      /nobody is served, until npm run up[\s\S]*npm run up -- --stack prod raises/,
    );
  });

  it("before a loss names everything that is lost, and the way that loses nothing", () => {
    const text = lossText(told);
    for (const word of [
      "every secret",
      "policy",
      "token",
      "lease",
      "audit devices",
      "shares",
      "data-vault-0",
    ])
      assert.ok(text.includes(word), word);
    assert.match(text, /Nothing is lost without --begin-anew/);
  });

  it("at its end is the next command, and what may go once all is proved", () => {
    assert.match(
      endText("prod", "vault", { copy: "a.tar" }),
      /npm run up -- --stack prod[\s\S]*Once all is proved[\s\S]*rm a\.tar/,
    );
    assert.doesNotMatch(endText("prod", "vault", undefined), /rm /);
  });

  it("to somebody who names another stack, or none, is that nothing was changed", async () => {
    await confirmLoss("prod", "prod", "npm run x");
    await assert.rejects(
      confirmLoss("prod", "dev", "npm run x"),
      /"dev" is another name\. Nothing was changed/,
    );
    await assert.rejects(confirmLoss("prod", undefined, "npm run x"), /--begin-anew --confirm prod/);
  });
});
