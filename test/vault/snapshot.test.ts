import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { execa } from "execa";
import { openRoad } from "../../steps/lib/reach.ts";
import { type Saved, saveSnapshot } from "../../steps/lib/snapshot.ts";
import { readSnapshot } from "../../steps/lib/snapshot-file.ts";
import { readRecord, snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("a snapshot, of real Vault processes", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let saved: Saved;
  const folder = () => snapshotFolder(stack.stackDir);
  const said: string[] = [];
  const step = () => ({ say: (line: string) => void said.push(line), signal: AbortSignal.timeout(50_000) });
  const client = async (pod = "vault-0", token = stack.token) =>
    new Vault(await openRoad(Target.parse(stack.target())), pod, step(), token);

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
    const vault = await client();
    await vault.enableKv("team", "of this test");
    for (let n = 0; n < 50; n++)
      await stack.nodes.at(0).send("POST", `team/${n}`, { value: "x".repeat(2000 + n) }, stack.token);
    saved = await saveSnapshot(vault, folder(), "dev", step());
  });
  after(async function () {
    await stack.end(this);
  });

  it("is named by stack, time and raft index, and readable by nobody else", () => {
    assert.match(saved.file, /\/snapshots\/dev-\d{8}T\d{6}Z-\d+\.snap$/);
    assert.ok(saved.file.endsWith(`-${saved.index}.snap`));
    for (const file of [saved.file, `${saved.file}.json`]) assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(folder()).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(folder()).length, 2, "nothing else is left in the folder");
  });

  it("says what Vault's own inspect says of it", async () => {
    const args = ["operator", "raft", "snapshot", "inspect", "-format=json", saved.file];
    const { stdout } = await execa("vault", args);
    const { Meta, TotalCountKV } = JSON.parse(stdout);
    assert.deepEqual([saved.index, saved.term, saved.entries], [Meta.Index, Meta.Term, TotalCountKV]);
  });

  it("says what only Vault tells, in its record: the cluster's id and version", async () => {
    const status = await (await client()).sealStatus();
    const record = await readRecord(saved.file);
    assert.equal(record?.clusterId, status.cluster_id);
    assert.equal(record?.vaultVersion, status.version);
    assert.equal(saved.vaultVersion, status.version, "and the version stands in the snapshot, too");
    assert.equal(record?.sha256, saved.sha256);
    assert.deepEqual(saved.servers, ["vault-0"]);
  });

  it("leaves nothing where the connection breaks on the way", async () => {
    const vault = await client();
    const cut = Object.assign(Object.create(vault) as Vault, {
      sealStatus: () => vault.sealStatus(),
      write: (name: string, value: string) => vault.write(name, value),
      stream: async () => {
        const answer = await vault.stream("GET", "sys/storage/raft/snapshot", step().signal);
        answer.once("data", () => answer.destroy(new Error("the connection was closed")));
        return answer;
      },
    });
    const before = readdirSync(folder());
    await assert.rejects(
      saveSnapshot(cut, folder(), "dev", step()),
      /did not come whole: the connection was closed/,
    );
    assert.deepEqual(readdirSync(folder()), before);
  });

  it("says in Vault's words why a token may not take one", async () => {
    const vault = await client("vault-0", "hvs.none");
    await assert.rejects(saveSnapshot(vault, folder(), "dev", step()), /403: .*permission denied/s);
  });

  describe("that is no whole one", () => {
    const broken = () => join(stack.nodes.folder, "broken.snap");
    const refused = async (why: RegExp) => {
      await assert.rejects(readSnapshot(broken()), why);
    };

    it("is refused where its end is missing", async () => {
      writeFileSync(broken(), readFileSync(saved.file));
      truncateSync(broken(), saved.size - 100);
      await refused(/is not a whole snapshot of Vault: unexpected end of file/);
    });

    it("is refused where a byte of the state is another one", async () => {
      const tar = gunzipSync(readFileSync(saved.file));
      const at = tar.indexOf("core/versions/");
      tar[at + 200] = (tar[at + 200] ?? 0) ^ 1;
      writeFileSync(broken(), gzipSync(tar));
      await refused(/the checksum of state.bin in it is another one/);
    });

    it("is refused where it is another file altogether, or none", async () => {
      writeFileSync(broken(), "no snapshot");
      await refused(/is not a whole snapshot of Vault: incorrect header check/);
      writeFileSync(broken(), gzipSync("no tar"));
      await refused(/is not a whole snapshot of Vault: /);
      await assert.rejects(readSnapshot("/nowhere/x.snap"), /there is no file \/nowhere\/x.snap/);
      assert.equal(existsSync("/nowhere"), false);
    });
  });
});
