import assert from "node:assert/strict";
import { audit } from "../../operate/doctor/checks/audit.ts";
import { diagnose } from "../../operate/doctor/diagnosis.ts";
import type { Evidence } from "../../operate/doctor/evidence/evidence.ts";
import { disagreements } from "../../operate/status/disagreements.ts";
import { evidenceOf } from "../support/evidence.ts";
import { stateOf } from "../support/subject.ts";

const pods = ["vault-0", "vault-1", "vault-2"];
const step = {
  urn: "urn:pulumi:dev::vault-ha::command:local:Command::lifecycle-audit",
  type: "command:local:Command",
};
const file = "/vault/audit/audit.log";
const writes = (devices: Record<string, string | undefined>): Evidence["audit"] => ({
  value: { asked: "vault-0", devices },
});
const used = (usedPercent: number) => ({
  value: { folder: "/vault/audit", usedPercent, usedKiB: usedPercent, availableKiB: 100 - usedPercent },
});
/** A stack with an audit log that is well, with some of it changed. */
const audited = (change: Partial<Evidence> = {}) =>
  evidenceOf({ resources: [...stateOf(pods), step], audit: writes({ "file/": file }), ...change });
const found = (change: Partial<Evidence>) => [...audit.find(audited(change))];
const ids = (change: Partial<Evidence>) =>
  found(change).map((each) => ("id" in each ? [each.id, ...each.nodes].join(" ") : each.notLooked));

describe("the audit log of a stack", () => {
  it("that is written, and has room, is well", () => {
    assert.deepEqual(ids({ auditDisks: { "vault-0": used(85) } }), []);
    assert.deepEqual(disagreements(audited().subject, audited()), []);
  });

  it("is not looked for where the stack has none", () => {
    const none = evidenceOf({ audit: writes({}), auditDisks: { "vault-0": used(99) } });
    assert.deepEqual([...audit.find(none)], []);
  });

  for (const [percent, id] of [
    [86, "audit-disk-filling"],
    [95, "audit-disk-filling"],
    [96, "audit-disk-full"],
  ] as const)
    it(`has a disk of its own: ${percent} % used is ${id}`, () => {
      const [one, ...more] = found({ auditDisks: { "vault-1": used(percent) } });
      assert.ok(one && "id" in one && more.length === 0);
      assert.deepEqual([one.id, one.nodes], [id, ["vault-1"]]);
      assert.equal(
        one.evidence[0]?.answered,
        `${percent} % used (${percent} KiB), ${100 - percent} KiB left`,
      );
      // Nothing is deleted before it was copied, and nothing is written over.
      assert.match(
        one.next.join("\n"),
        /mv -n [\s\S]* cat \/vault\/audit\/audit\.log\.1 > .local\/stacks\/dev\/vault-1-audit\.log\.1\)\n.*sha256sum [\s\S]* rm \/vault\/audit\/audit\.log\.1$/,
      );
    });

  for (const words of ["internal error", "failed to audit request, cannot continue"])
    it(`that cannot be written stops Vault (${words}), and the leader's full disk is the cause`, () => {
      const log = "[ERROR] core: failed to audit request: path=sys/audit";
      const { findings } = diagnose(
        audited({
          audit: { failed: `vault-0 answered GET /v1/sys/audit with 500: ${words}` },
          auditDisks: { "vault-0": used(100), "vault-1": used(10) },
          logs: { "vault-0": { value: log } },
        }),
      );
      assert.deepEqual(
        findings.map(({ id, because }) => [id, ...because]),
        [["audit-disk-full"], ["audit-blocked", "audit-disk-full vault-0"]],
      );
      const [, blocked] = findings;
      assert.equal(blocked?.evidence[1]?.answered, log);
      assert.match(blocked?.next.at(-1) ?? "", /delete pod vault-0 && npm run up$/);
    });

  it("whose device was disabled is found, by the status too, with the command that enables it", () => {
    const change = { audit: writes({ "syslog/": undefined }) };
    const [one] = found(change);
    assert.ok(one && "id" in one);
    assert.equal(one.id, "audit-off");
    assert.equal(one.evidence[0]?.answered, "syslog/ writes no file");
    const enables = /vault audit enable file file_path=\/vault\/audit\/audit\.log/;
    assert.match(one.next.at(-1) ?? "", enables);
    const [said, ...more] = disagreements(audited().subject, audited(change));
    assert.deepEqual([said?.id, more], ["audit-off", []]);
    assert.match(said?.next ?? "", enables);
  });

  it("is well under whatever path of Vault's its device is", () => {
    assert.deepEqual(ids({ audit: writes({ "mine/": file }) }), []);
  });

  it("that could not be looked at is said, unless something else is why", () => {
    assert.deepEqual(ids({ audit: { failed: "no answer within 8 s" } }), [
      "the audit devices: no answer within 8 s",
    ]);
    assert.deepEqual(ids({ auditDisks: { "vault-2": { failed: "df ended with 1" } } }), [
      "the disk of the audit log of vault-2: df ended with 1",
    ]);
    assert.deepEqual(ids({ audit: { failed: "vault-0 answered GET /v1/sys/audit with 403: denied" } }), []);
    assert.deepEqual(ids({ audit: { failed: "no node is unsealed" }, vault: {} }), []);
  });
});
