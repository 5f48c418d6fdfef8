import assert from "node:assert/strict";
import { execa } from "execa";
import { explain } from "../../operate/doctor/causes.ts";
import { diskInWords, readDf } from "../../operate/doctor/evidence/disk.ts";
import { outcomeOf } from "../../operate/doctor/evidence/peers.ts";
import { hiding } from "../../operate/doctor/evidence/secrets.ts";
import type { Finding } from "../../operate/doctor/finding.ts";
import { skew } from "../../operate/views/vault-view.ts";

const finding = (id: string, ...nodes: string[]): Finding => ({
  id,
  nodes,
  wrong: id,
  evidence: [],
  means: "",
  next: [],
});

describe("the doctor's findings", () => {
  const named = (findings: Finding[]) =>
    explain(findings).map(({ id, nodes, because }) => [[id, ...nodes].join(" "), because]);

  it("begin with the root cause, and each symptom names it, also where another symptom lies between", () => {
    assert.deepEqual(
      named([
        finding("quorum-lost", "vault-1", "vault-2"),
        finding("vault-unanswered", "vault-1"),
        finding("image-not-pulled", "vault-1"),
        finding("sealed", "vault-2"),
      ]),
      [
        ["image-not-pulled vault-1", []],
        ["sealed vault-2", []],
        ["quorum-lost vault-1 vault-2", ["image-not-pulled vault-1", "sealed vault-2"]],
        ["vault-unanswered vault-1", ["image-not-pulled vault-1"]],
      ],
    );
  });

  it("do not blame a fault of another node", () => {
    assert.deepEqual(
      named([finding("image-not-pulled", "vault-1"), finding("vault-unanswered", "vault-2")]),
      [
        ["image-not-pulled vault-1", []],
        ["vault-unanswered vault-2", []],
      ],
    );
  });

  it("blame a fault of the whole stack for those of its nodes", () => {
    assert.deepEqual(named([finding("nodes-stopped"), finding("vault-unanswered", "vault-2")])[1], [
      "vault-unanswered vault-2",
      ["nodes-stopped"],
    ]);
  });

  it("keep one of two that explain each other as the cause", () => {
    const both = named([finding("pod-unschedulable", "vault-1"), finding("claim-pending", "vault-1")]);
    assert.deepEqual(both, [
      ["pod-unschedulable vault-1", []],
      ["claim-pending vault-1", ["pod-unschedulable vault-1"]],
    ]);
  });
});

describe("the doctor's evidence", () => {
  it("takes a disk's use from df as POSIX writes it", async () => {
    const { stdout } = await execa("df", ["-P", "-k", "."]);
    const { usedPercent, availableKiB } = readDf(stdout);
    assert.ok(usedPercent >= 0 && usedPercent <= 100);
    assert.ok(availableKiB > 0);
    const text =
      "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/disk with blank 100 91 9 91% /a b";
    assert.deepEqual(readDf(text), { usedPercent: 91, usedKiB: 91, availableKiB: 9 });
    const disk = { folder: "/vault/data", usedPercent: 97, usedKiB: 10 * 1024 ** 2, availableKiB: 20_480 };
    assert.equal(diskInWords(disk), "97 % used (10.0 GiB), 20 MiB left");
    assert.throws(() => readDf("df: /vault/data: No such file or directory"), /otherwise than POSIX/);
  });

  it("sorts a client's words: name, port, TLS, or nothing came", () => {
    const said = (words: string) => outcomeOf(`Error checking seal status: Get "http://a:8200/v1": ${words}`);
    assert.equal(said("dial tcp: lookup a on 10.96.0.10:53: no such host"), "name unknown");
    assert.equal(said("dial tcp 10.1.1.1:8200: connect: connection refused"), "port closed");
    assert.equal(said("x509: certificate is valid for a, not b"), "TLS refused");
    assert.equal(said("http: server gave HTTP response to HTTPS client"), "TLS refused");
    assert.equal(said("context deadline exceeded"), "no answer");
    assert.equal(outcomeOf(""), "answered");
  });

  it("hides shares in each way of writing them, the token, and tokens that nobody knows, and nothing else", () => {
    const share = Buffer.from("0123456789abcdef0123456789abcdef0").toString("base64");
    const hide = hiding({ shares: [share], rootToken: "root-token" });
    const hex = Buffer.from(share, "base64").toString("hex");
    const line = `key=${share} hex=${hex} root-token hvs.CAESIJ12345678 s.abcdefghijklmnopqrstuvwx storage.raft: ok`;
    assert.equal(hide(line), "key=(secret) hex=(secret) (secret) (secret) (secret) storage.raft: ok");
    assert.equal(hiding(undefined)("hvb.AAAAAQ12345678"), "(secret)");
  });

  it("counts a clock as apart only by what rounding and the way there cannot explain", () => {
    // Vault cuts to the second: at 10.9 s it says 10.
    assert.equal(skew(10_000, 10_900, 10_950), 0);
    assert.equal(skew(10_000, 9_000, 10_100), 0);
    assert.equal(skew(40_000, 10_000, 10_100), 29_900);
    assert.equal(skew(10_000, 50_000, 50_100), -39_001);
  });
});
