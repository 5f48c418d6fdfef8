import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { type Diagnosis, diagnose } from "../../operate/doctor/diagnosis.ts";
import { gatherEvidence } from "../../operate/doctor/evidence/gather.ts";
import { diagnosisText } from "../../operate/doctor/text.ts";
import { poll } from "../../setup/processes.ts";
import { itWhere } from "../support/left-out.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { surroundingsOf } from "../support/surroundings.ts";
import { VaultStack } from "../support/vault-stack.ts";

const asRoot = itWhere("(as root)");

describe("the doctor, at the audit log of real Vault nodes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  const folder = () => join(stack.nodes.folder, "audit");
  const log = () => join(folder(), "audit.log");
  const enable = async () => {
    const ran = await stack.run("audit", { pods: stack.pods, token: stack.token, file: log() });
    assert.equal(ran.code, 0, ran.stderr);
  };
  const look = async (): Promise<Diagnosis> => {
    const enabled = { urn: "urn:pulumi:dev::vault-ha::command:local:Command::lifecycle-audit", type: "x" };
    const resources = [...stateOf(stack.pods), enabled];
    return diagnose(await gatherEvidence(subjectOf(stack, { resources }), surroundingsOf(stack)));
  };
  const found = async (id: string) => {
    const diagnosis = await look();
    const finding = diagnosis.findings.find((each) => each.id === id);
    return finding ?? assert.fail(`no ${id} in:\n${diagnosisText(diagnosis)}`);
  };
  const nothing = async () => {
    let last: Diagnosis | undefined;
    const well = await poll(
      async () => {
        last = await look();
        return last.findings.length + last.notLookedAt.length === 0 || undefined;
      },
      { forMs: 30_000 },
    );
    assert.ok(well, last && diagnosisText(last));
  };
  const leader = async () => {
    for (const node of stack.nodes.nodes) if ((await node.get("sys/leader")).is_self) return node;
    return assert.fail("nobody leads");
  };

  before(async () => {
    stack = await VaultStack.start(3);
    await stack.raise();
    assert.equal((await stack.verify()).code, 0);
    await mkdir(folder());
  });
  after(async function () {
    await stack?.end(this);
  });

  it("finds nothing where it is written", async () => {
    await enable();
    await nothing();
  });

  it("finds a device that was disabled by hand, and nothing once the command has enabled it again", async () => {
    const node = await leader();
    await node.send("DELETE", "sys/audit/file", undefined, stack.token);
    const finding = await found("audit-off");
    assert.equal(finding.evidence[0]?.answered, "no device");
    const command =
      /vault (audit enable file file_path=\S+)'$/.exec(finding.next.at(-1) ?? "") ?? assert.fail();
    const env = { VAULT_ADDR: node.address, VAULT_TOKEN: stack.token };
    await execa("vault", (command[1] ?? "").split(" "), { env });
    await nothing();
  });

  asRoot(
    "finds its disk filling and full, Vault blocked by it, and nothing once its commands were typed (as root)",
    async () => {
      const node = await leader();
      await node.send("DELETE", "sys/audit/file", undefined, stack.token);
      await rm(log());
      await execa("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder()]);
      try {
        await enable();
        await node.get("sys/mounts", stack.token);
        await grow(log(), 0.9);
        const filling = await found("audit-disk-filling");
        assert.deepEqual(filling.nodes, [...stack.pods].slice(0, 1));
        assert.match(filling.evidence[0]?.answered ?? "", /^(89|9[01]) % used \(7 MiB\), \d+ KiB left$/);

        await grow(log(), 1);
        const refused = await poll(() => node.get("sys/mounts", stack.token).then(() => undefined, String), {
          forMs: 20_000,
        });
        assert.match(refused ?? "", /500 .*internal error/);
        const blocked = await found("audit-blocked");
        assert.deepEqual(blocked.nodes, [node.name]);
        assert.ok(blocked.because.includes(`audit-disk-full ${node.name}`), blocked.because.join());
        assert.match(blocked.evidence[1]?.answered ?? "", /no space left on device/);

        const size = (await readFile(log())).length;
        // As in the pod, where no other Vault is.
        for (const line of blocked.next.slice(
          0,
          blocked.next.findIndex((each) => /takes too long/.test(each)),
        ))
          await execa("sh", [
            "-c",
            line.replace(/kubectl exec vault-\d --/g, "").replace("$(pidof vault)", `${node.pid}`),
          ]);
        assert.equal((await readFile(join(stack.stackDir, `${node.name}-audit.log.1`))).length, size);
        assert.equal(existsSync(`${log()}.1`), false);
        await node.get("sys/mounts", stack.token);
        await nothing();
      } finally {
        await execa("umount", ["--lazy", folder()]);
      }
    },
  );
});

/** Lets an audit log grow until so much of its disk is used. */
async function grow(file: string, part: number): Promise<void> {
  const { stdout } = await execa("df", ["-P", "-k", file]);
  const [size = 0, used = 0] = (stdout.split("\n").at(-1) ?? "").split(/\s+/).slice(1, 3).map(Number);
  const count = Math.ceil(size * part) - used;
  const args = ["if=/dev/zero", `of=${file}`, "bs=1k", `count=${count}`, "oflag=append", "conv=notrunc"];
  await execa("dd", args, { reject: false });
}
