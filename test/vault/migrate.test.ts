import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { migrateVolume, type VolumePlace } from "../../operate/migrate/volume.ts";
import { migratedMark } from "../../operate/migrate/volume-script.ts";
import { poll } from "../../setup/processes.ts";
import { freePorts } from "../support/free-ports.ts";
import { itWhere } from "../support/left-out.ts";
import { vaultWithFiles } from "../support/vault-with-files.ts";

const asRoot = itWhere("(as root)");

interface Keys {
  unseal_keys_b64: string[];
  root_token: string;
}

describe("a Standalone's volume, with real Vault processes", function () {
  this.timeout(120_000);
  let folder: string;
  let data: string;
  let copy: string;
  let address: string;
  let cluster: string;
  let env: Record<string, string>;
  let server: ChildProcess | undefined;
  let keys: Keys;
  const said: string[] = [];

  const vault = (...args: string[]) => execa("vault", args, { env: { ...env, VAULT_ADDR: address } });
  const start = async (storage: string) => {
    const config = join(folder, "config.hcl");
    writeFileSync(
      config,
      `disable_mlock = true\napi_addr = "${address}"\ncluster_addr = "${cluster}"\nlistener "tcp" {\n  address = "${address.slice(7)}"\n  cluster_address = "${cluster.slice(8)}"\n  tls_disable = 1\n}\nstorage "${storage}" {\n  path = "${data}"\n  ${storage === "raft" ? 'node_id = "vault-0"\n  performance_multiplier = "1"' : ""}\n}\n`,
    );
    server = spawn("vault", ["server", `-config=${config}`], {
      env: { ...process.env, ...env },
      stdio: "ignore",
    });
    const answers = () =>
      fetch(`${address}/v1/sys/seal-status`).then(
        () => true,
        () => undefined,
      );
    assert.ok(await poll(answers, { forMs: 20_000 }), "vault does not answer");
  };
  const stop = async () => {
    if (server === undefined) return;
    const gone = new Promise((resolve) => server?.on("exit", resolve));
    server.kill();
    await gone;
    server = undefined;
  };
  const unseal = async () => {
    for (const share of keys.unseal_keys_b64.slice(0, 2)) {
      const body = JSON.stringify({ key: share });
      await fetch(`${address}/v1/sys/unseal`, { method: "PUT", body });
    }
  };
  const api = (method: string, path: string, body?: object) =>
    fetch(`${address}/v1/${path}`, {
      method,
      headers: { "x-vault-token": keys.root_token },
      ...(body && { body: JSON.stringify(body) }),
    });
  const read = async (path: string) => ((await (await api("GET", path)).json()) as { data?: object }).data;

  /** As the pod that mounts the volume. */
  const place = (): VolumePlace => ({
    folder: data,
    run: async (command, into) => {
      const [program = "", ...args] = command;
      const { exitCode, stdout, stderr } = await execa(program, args, {
        env,
        reject: false,
        stdout: into === undefined ? "pipe" : { file: into },
      });
      return { exitCode: exitCode ?? -1, stdout: String(stdout ?? ""), stderr };
    },
  });
  const migrate = () => migrateVolume(place(), { copy, address: cluster }, (line) => said.push(line));
  /** The file storage, whole: each file with its content. */
  const fileStorage = () =>
    readdirSync(data, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile() && each.parentPath !== data && !each.parentPath.includes("/raft"))
      .map((each) => join(each.parentPath, each.name))
      .sort()
      .map((path) => `${path} ${readFileSync(path).toString("base64")}`);

  before(async function () {
    // Where it has to be built first.
    this.timeout(600_000);
    env = { PATH: `${await vaultWithFiles()}:${process.env.PATH}` };
    folder = await mkdtemp(join(tmpdir(), "vault-ha-test-"));
    data = join(folder, "data");
    copy = join(folder, "copy.tar");
    await mkdir(data);
    const [one, other] = await freePorts(2);
    address = `http://127.0.0.1:${one}`;
    cluster = `https://127.0.0.1:${other}`;
    await start("file");
    keys = JSON.parse(
      (await vault("operator", "init", "-key-shares=3", "-key-threshold=2", "-format=json")).stdout,
    );
    await unseal();
    await api("POST", "sys/mounts/kv", { type: "kv" });
    for (let at = 0; at < 200; at++) await api("POST", `kv/deep/${at}`, { value: `value ${at}` });
    await stop();
  });
  after(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });

  it("is copied first, readable by its owner alone, and without a key or a token in it", async () => {
    const failing: VolumePlace = {
      ...place(),
      run: async (command, into) =>
        command[0] === "tar" ? place().run(command, into) : { exitCode: 1, stdout: "", stderr: "cut off" },
    };
    await assert.rejects(
      migrateVolume(failing, { copy }, () => {}),
      /was not brought over.*cut off/,
    );
    assert.equal(statSync(copy).mode & 0o777, 0o600);
    const { stdout } = await execa("tar", ["-tf", copy]);
    assert.match(stdout, /core\/_keyring/);
    const kept = readFileSync(copy, "latin1");
    for (const secret of [...keys.unseal_keys_b64, keys.root_token, "value 17"])
      assert.ok(!kept.includes(secret));
  });

  it("is not copied half: what could not be is no copy, and nothing is begun", async () => {
    const other = join(folder, "other.tar");
    const full: VolumePlace = {
      ...place(),
      run: async (command) => {
        assert.equal(command[0], "tar");
        return { exitCode: 1, stdout: "", stderr: "no space left on device" };
      },
    };
    await assert.rejects(
      migrateVolume(full, { copy: other }, () => {}),
      /could not be copied, nothing was changed: no space left/,
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("other")),
      [],
    );
  });

  it("that is cut off in the middle has the file storage as it was, and is not taken for done", async () => {
    const before = fileStorage();
    const cut: VolumePlace = {
      folder: data,
      run: async (command) => {
        const [program = "", ...args] = command;
        const run = execa(program, args, { env, reject: false, detached: true });
        // Raft's files are there, and nothing is in them yet.
        const there = () => existsSync(join(data, "raft/raft.db")) || undefined;
        assert.ok(await poll(there, { forMs: 20_000, everyMs: 5 }));
        process.kill(-(run.pid ?? assert.fail()), "SIGKILL");
        const { stdout, stderr } = await run;
        return { exitCode: -1, stdout, stderr };
      },
    };
    await assert.rejects(
      migrateVolume(cut, { copy, address: cluster }, () => {}),
      /was not brought over/,
    );
    assert.ok(existsSync(join(data, "vault.db")));
    assert.equal(existsSync(join(data, migratedMark)), false);
    assert.deepEqual(
      fileStorage().filter((line) => !line.includes("core/_migration ")),
      before,
    );
  });

  it("is brought into Raft by the next attempt, and the file storage is untouched", async () => {
    const before = fileStorage().filter((line) => !line.includes("core/_migration "));
    said.splice(0);
    await migrate();
    assert.match(said.join("\n"), /already\n2\d\d entries are in Raft now/);
    assert.deepEqual(fileStorage(), before);
  });

  it("unseals with the same shares and token, and has every value", async () => {
    await start("raft");
    await unseal();
    assert.ok(
      await poll(async () => (await read("sys/storage/raft/configuration")) !== undefined || undefined, {
        forMs: 30_000,
      }),
    );
    for (let at = 0; at < 200; at++) assert.deepEqual(await read(`kv/deep/${at}`), { value: `value ${at}` });
    const { config } = (await read("sys/storage/raft/configuration")) as {
      config: { servers: { node_id: string; address: string; voter: boolean }[] };
    };
    assert.deepEqual(
      config.servers.map(({ node_id, address, voter }) => ({ node_id, address, voter })),
      [{ node_id: "vault-0", address: cluster.slice(8), voter: true }],
    );
  });

  it("keeps what was written to Raft since, when it is run once more", async () => {
    await api("POST", "kv/since", { value: "since" });
    await stop();
    said.splice(0);
    await migrate();
    assert.match(said.join("\n"), /in Raft already$/);
    await start("raft");
    await unseal();
    const since = await poll(() => read("kv/since"), { forMs: 30_000 });
    assert.deepEqual(since, { value: "since" });
    await stop();
  });

  it("is not taken for one of the two where both have been written since", async () => {
    await start("file");
    await unseal();
    assert.equal((await api("POST", "kv/deep/0", { value: "of the Standalone" })).status, 204);
    await stop();
    const kept = statSync(join(data, "vault.db")).mtimeMs;
    await assert.rejects(migrate(), /both the file storage and Raft were written since/);
    assert.equal(statSync(join(data, "vault.db")).mtimeMs, kept);
  });

  it("is the Standalone's again without Raft's files: the way back", async () => {
    for (const name of ["vault.db", "raft", migratedMark]) rmSync(join(data, name), { recursive: true });
    await start("file");
    await unseal();
    assert.deepEqual(await read("kv/deep/199"), { value: "value 199" });
    assert.equal(await read("kv/since"), undefined);
    await stop();
  });

  it("that has served as a Standalone again since is brought over as it is now", async () => {
    await migrate();
    await start("file");
    await unseal();
    await api("POST", "kv/deep/1", { value: "later" });
    await stop();
    said.splice(0);
    await migrate();
    assert.match(said.join("\n"), /2\d\d entries are in Raft now/);
    await start("raft");
    await unseal();
    const later = await poll(() => read("kv/deep/1"), { forMs: 30_000 });
    assert.deepEqual(later, { value: "later" });
    await stop();
  });

  it("is refused where there is no such data", async () => {
    const empty = join(folder, "empty");
    await mkdir(empty);
    await assert.rejects(
      migrateVolume({ ...place(), folder: empty }, { copy: join(folder, "e.tar") }, () => {}),
      /no data of the storage file/,
    );
  });

  asRoot("is refused where the volume has no room for both (as root)", async () => {
    const small = join(folder, "small");
    await mkdir(small);
    await execa("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", small]);
    try {
      await execa("cp", ["-r", join(data, "core"), small]);
      await assert.rejects(
        migrateVolume({ ...place(), folder: small }, { copy: join(folder, "s.tar") }, () => {}),
        /KiB left, and \d+ KiB are needed/,
      );
      assert.equal(existsSync(join(small, "vault.db")), false);
    } finally {
      await execa("umount", [small]);
    }
  });
});
