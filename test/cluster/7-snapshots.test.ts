import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import { savedElsewhere } from "../../steps/lib/snapshot-record.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { asEachSpeaks } from "../support/as-each-speaks.ts";
import { minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";

describe("snapshots, on a real cluster", function () {
  this.timeout(5 * minutes);
  let file: string;

  // They and their keys would outlive the stack, whose end is to leave nothing.
  after(async () =>
    rmSync(join((await sharedStack()).test.stackDir, "snapshots"), { recursive: true, force: true }),
  );

  const client = async () => {
    const shared = await sharedStack();
    const reach = {
      kind: "kubernetes" as const,
      kubeconfig: join(shared.test.stackDir, "kubeconfig"),
      namespace: "vault",
    };
    return new Vault(
      await asEachSpeaks(reach),
      "vault-0",
      { signal: AbortSignal.timeout(60_000) },
      shared.keys().rootToken,
    );
  };

  it("are saved from the node that leads, and listed, and told what is in them", async () => {
    const vault = await client();
    await vault.write("kept", "before the snapshot");
    vault.close();
    const shared = await sharedStack();
    const saved = await shared.command("snapshot", "save", "--json");
    assert.equal(saved.exitCode, 0, saved.all);
    const found = JSON.parse(saved.stdout);
    file = found.file;
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(found.servers.toSorted(), pods);
    const listed = JSON.parse((await shared.command("snapshot", "list", "--json")).stdout);
    // The update that turned TLS on has saved one, too.
    assert.equal(listed[0].file, file);
    const folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    const away = join(folder, "away.snap");
    const elsewhere = await shared.command("snapshot", "save", away);
    assert.equal(elsewhere.exitCode, 0, elsewhere.all);
    assert.equal(statSync(away).mode & 0o777, 0o600);
    assert.deepEqual(await savedElsewhere(shared.test.stackDir), [away], "its keys have to stay");
    rmSync(folder, { recursive: true });
    const inspected = await shared.command("snapshot", "inspect", file);
    assert.equal(inspected.exitCode, 0, inspected.all);
    assert.match(inspected.stdout, new RegExp(`raft index +${found.index}, term`));
    assert.match(inspected.stdout, /restore proved +never/);
  });

  const namespaces = async () => (await sharedStack()).tools.kubectl("get", "namespaces", "--output", "name");

  it("are rehearsed with nothing left behind where somebody stops it, and nothing noted", async () => {
    const { test, keep } = await sharedStack();
    const rehearsal = execa(process.execPath, ["commands/rehearse.ts", "restore", "--stack", test.name], {
      cwd: checkout,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    for await (const line of rehearsal.iterable({ from: "all" })) {
      keep(`${line}\n`);
      if (line.includes("a Vault to be thrown away runs")) rehearsal.kill("SIGINT");
    }
    const { exitCode, all } = await rehearsal;
    assert.equal(exitCode, 130, all);
    assert.doesNotMatch(await namespaces(), /rehearsal/);
  });

  it("are proved in a namespace that is gone afterwards, as one that was left, and the proof is noted", async () => {
    const shared = await sharedStack();
    // As a rehearsal that was killed leaves it.
    await shared.tools.kubectl("create", "namespace", "vault-rehearsal-left");
    const mark = `vault-ha/rehearsal=${shared.test.name}`;
    await shared.tools.kubectl("label", "namespace", "vault-rehearsal-left", mark);
    const rehearsed = await shared.command("rehearse", "restore", "--json");
    assert.equal(rehearsed.exitCode, 0, rehearsed.all);
    const { marker, seconds, clusterId } = JSON.parse(rehearsed.stdout);
    assert.equal(marker, true);
    assert.ok(seconds > 0);
    const [listed] = JSON.parse((await shared.command("snapshot", "list", "--json")).stdout);
    assert.equal(listed.record.clusterId, clusterId);
    assert.equal(listed.record.proof.seconds, seconds);
    assert.match(rehearsed.all, /removed what a killed rehearsal had left: vault-rehearsal-left/);
    assert.doesNotMatch(await namespaces(), /rehearsal/);
    const status = await shared.command("status");
    assert.match(
      status.stdout,
      /snapshot: the newest of \d+ is \d min old \(raft index \d+\); restore proved \d min ago, in [\d.]+ s/,
    );
  });

  it("are restored with a way back: what came after is gone, what was there is there, nothing was restarted", async () => {
    const shared = await sharedStack();
    const vault = await client();
    await vault.write("kept", "after the snapshot");
    const dry = await shared.command("restore", file, "--dry-run");
    assert.equal(dry.exitCode, 0, dry.all);
    assert.match(dry.all, /lost: everything that was written since \(the log is \d+ entries further/);
    assert.equal(await vault.read("kept"), "after the snapshot");
    const unnamed = await shared.command("restore", file);
    assert.equal(unnamed.exitCode, 1, unnamed.all);
    assert.equal(await vault.read("kept"), "after the snapshot");

    const restored = await shared.command("restore", file, "--confirm", shared.test.name, "--json");
    assert.equal(restored.exitCode, 0, restored.all);
    const { marker, voters, safety } = JSON.parse(restored.stdout);
    assert.deepEqual({ marker, voters }, { marker: true, voters: 3 });
    assert.ok(existsSync(safety));
    const again = await client();
    assert.equal(await again.read("kept"), "before the snapshot");
    for (const each of [vault, again]) each.close();
    assert.deepEqual(await proposals(shared.test.stack), []);
    assert.equal(readdirSync(join(shared.test.stackDir)).includes("restore.json"), false);
  });
});
