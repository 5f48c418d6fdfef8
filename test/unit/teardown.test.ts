import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { confirmDestroy, isProtected } from "../../operate/teardown/confirm.ts";
import { keptSnapshots } from "../../operate/teardown/kept-snapshots.ts";
import {
  type ExistingPlace,
  existingReceipt,
  refuseUnreachable,
} from "../../operate/teardown/on-existing.ts";
import { type KindBefore, kindReceipt } from "../../operate/teardown/on-kind.ts";
import { receiptText } from "../../operate/teardown/receipt.ts";
import { checkout } from "../../setup/folders.ts";
import { removeFiles } from "../../steps/lib/cluster.ts";

const place: ExistingPlace = {
  stack: "prod",
  stackDir: ".local/stacks/no-such-stack",
  namespace: "secrets",
  context: "aws",
  resources: ["vault-namespace", "vault-release", "lifecycle-init-vault-0"],
};
const claims = [{ name: "data-vault-0", uid: "u", size: "10Gi", storageClass: "fast" }];

describe("the receipt of a stack on a cluster that exists", () => {
  it("says what was kept, that the keys are still needed, and the commands either way", () => {
    const text = receiptText(
      existingReceipt(place, { namespace: true, claims }, { namespace: true, claims }),
    );
    assert.match(text, /gone +Vault's release in namespace secrets, with its pods/);
    assert.match(text, /kept +the namespace secrets on the cluster of the context aws/);
    assert.match(text, /volumes \(PVCs\): data-vault-0 \(10Gi, fast\)/);
    assert.match(text, /keys +still needed: nobody opens the volumes without .*vault-init\.json/);
    assert.match(text, /To take it up again, with its data:\n {2}npm run up -- --stack prod/);
    assert.match(text, /To remove what was kept[^\n]*\n {2}kubectl .* delete namespace secrets/);
    assert.doesNotMatch(text, /missing/);
  });

  it("says that nothing was kept, and how it is made anew", () => {
    const receipt = existingReceipt(place, { namespace: true, claims }, { namespace: false, claims: [] });
    assert.equal(receipt.keys.needed, false);
    const text = receiptText(receipt);
    assert.match(text, /the namespace secrets, with its volumes/);
    assert.match(
      text,
      /kept +nothing\n[\s\S]*To make it anew, without data:\n {2}npm run up -- --stack prod\n$/,
    );
  });

  it("names what somebody had removed before", () => {
    const none = { namespace: false, claims: [] };
    assert.deepEqual(existingReceipt(place, none, none).missing, [
      "the namespace secrets: somebody had removed it",
    ]);
    assert.match(
      existingReceipt(place, undefined, undefined).missing.join(),
      /the cluster of the context aws/,
    );
  });

  it("is not come by where the cluster does not answer, unless somebody says that it is gone", () => {
    assert.throws(
      () => refuseUnreachable(place, undefined, false),
      /context aws does not answer[\s\S]*Nothing was destroyed[\s\S]*--stack prod --cluster-is-gone/,
    );
    refuseUnreachable(place, undefined, true);
    refuseUnreachable(place, { namespace: true, claims }, false);
  });
});

describe("the receipt of a stack on kind", () => {
  const whole: KindBefore = {
    clusters: ["vault-ha-dev-abc"],
    held: { containers: ["a", "b"], volumes: ["v"], networks: ["n"] },
    files: [".local/stacks/dev/kubeconfig"],
    lost: [],
  };

  it("counts what is gone, and says that no key is needed any more", () => {
    const text = receiptText(kindReceipt("dev", ".local/stacks/dev", whole));
    assert.match(
      text,
      /gone +cluster vault-ha-dev-abc, with Vault and its data: 2 nodes, 1 volume, 1 network/,
    );
    assert.match(text, /keys +not needed any more: no volume is left that they open/);
    assert.match(text, /npm run up\n$/);
  });

  it("names the cluster that somebody deleted by hand, and files that were lost", () => {
    const { missing, gone } = kindReceipt("dev", ".local/stacks/dev", {
      ...whole,
      held: { containers: [], volumes: [], networks: [] },
      files: [],
      lost: [".local/stacks/dev/kubeconfig"],
    });
    assert.deepEqual(missing, [
      "the nodes of cluster vault-ha-dev-abc: somebody had removed them",
      "the network of vault-ha-dev-abc",
      ".local/stacks/dev/kubeconfig",
    ]);
    assert.doesNotMatch(gone.join(), /cluster/);
  });
});

describe("a protected stack", () => {
  it("is one of which Pulumi protects a resource", () => {
    assert.equal(isProtected([{ urn: "a", type: "t", protect: true }]), true);
    assert.equal(isProtected([{ urn: "a", type: "t" }]), false);
  });

  it("has to be named: another name and no name are refused, with the command", async () => {
    await confirmDestroy("prod", "prod");
    await assert.rejects(confirmDestroy("prod", "prd"), /"prd" is another name\. Nothing was destroyed/);
    await assert.rejects(confirmDestroy("prod", undefined), /npm run down -- --stack prod --confirm prod/);
  });
});

describe("the snapshots of a stack that is destroyed", () => {
  let stackDir: string;
  const journal = {
    version: 1,
    stack: "dev",
    pod: "vault-0",
    intendedAt: "2026-11-25T12:00:00Z",
    threshold: 1,
  };
  const answer = { shares: ["c2hhcmU="], rootToken: "hvs.x", initialisedAt: "2026-11-25T12:00:00Z" };
  const custody = { clusterId: "one", provedAt: "2026-11-25T12:00:00Z" };
  const put = (name: string, content: object | string) =>
    writeFileSync(join(stackDir, name), typeof content === "string" ? content : JSON.stringify(content), {
      mode: 0o600,
    });

  beforeEach(() => {
    stackDir = join(mkdtempSync(join(tmpdir(), "vault-ha-test-")), "dev");
    mkdirSync(stackDir);
    put("vault-init.json", { ...journal, answer, custody });
  });
  afterEach(() => rmSync(dirname(stackDir), { recursive: true }));

  it("stay, with the keys that open them, under a name that is not in the next Vault's way", async () => {
    mkdirSync(join(stackDir, "snapshots"));
    put("snapshots/dev.snap", "x");
    assert.deepEqual((await removeFiles(stackDir)).sort(), ["snapshots", "vault-init.one.json"]);
    assert.deepEqual(JSON.parse(readFileSync(join(stackDir, "vault-init.one.json"), "utf8")).answer, answer);
    assert.equal(statSync(join(stackDir, "vault-init.one.json")).mode & 0o777, 0o600);
    const { kept, remove } = await keptSnapshots(relative(checkout, stackDir));
    assert.match(
      kept.join(),
      /1 snapshot in \S+\/snapshots, and the keys that open them: \S+vault-init\.one\.json/,
    );
    assert.match(remove.join(), /^rm -r \S+\/snapshots \S+\/vault-init\.one\.json$/);
  });

  it("keep their keys where they lie in another place, too, of which a record is here", async () => {
    const record = {
      version: 1,
      stack: "dev",
      savedAt: "2026-11-25T12:00:00Z",
      index: 4,
      term: 2,
      size: 1,
      sha256: "a",
    };
    mkdirSync(join(stackDir, "snapshots"));
    put("snapshots/dev-4.snap.json", { ...record, elsewhere: "/mnt/backup/dev.snap" });
    assert.deepEqual((await removeFiles(stackDir)).sort(), ["snapshots", "vault-init.one.json"]);
    const { kept } = await keptSnapshots(relative(checkout, stackDir));
    assert.match(
      kept.join(),
      /^what was saved to \/mnt\/backup\/dev\.snap, and the keys that open them: \S+one\.json/,
    );
  });

  it("are not the reason to keep keys where there are none", async () => {
    assert.deepEqual(await removeFiles(stackDir), []);
    assert.equal(existsSync(stackDir), false);
    assert.deepEqual(await keptSnapshots(relative(checkout, stackDir)), { kept: [], remove: [] });
  });
});
