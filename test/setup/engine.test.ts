import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { engineVersion } from "../../setup/engine/client.ts";
import {
  hasSysResource,
  ownDockerd,
  type Place,
  startDockerd,
  stopDockerd,
} from "../../setup/engine/dockerd.ts";
import { findProgram } from "../../setup/find-program.ts";
import { nameOf, poll } from "../../setup/processes.ts";

/** A program that is surely no engine, with a number that a dead engine might have had. */
const bystander = process.pid;

// A second engine beside the machine's own, with everything in a folder and a network of its own.
describe("a Docker engine of our own (as root)", function () {
  this.timeout(120_000);
  let place: Place;
  const path = process.env.PATH;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    const folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    // In a network of its own: with --bridge=none dockerd removes docker0, which is the machine's engine's.
    const dockerd = findProgram("dockerd");
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/dockerd"), `#!/bin/sh\nexec unshare --net ${dockerd} "$@"\n`, {
      mode: 0o755,
    });
    process.env.PATH = `${join(folder, "bin")}:${path}`;
    place = {
      folder: join(folder, "engine"),
      socket: join(folder, "docker.sock"),
      pidFile: join(folder, "docker.pid"),
      containerdPidFile: join(folder, "exec/containerd/containerd.pid"),
      flags: [
        `--data-root=${join(folder, "data")}`,
        `--exec-root=${join(folder, "exec")}`,
        "--bridge=none",
        "--iptables=false",
      ],
    };
  });
  after(async () => {
    process.env.PATH = path;
    if (!place) return;
    const { stdout } = await docker(["ps", "-q"]).catch(() => ({ stdout: "" }));
    if (stdout) await docker(["kill", ...stdout.split("\n")]);
    await stopDockerd(place);
    // dockerd makes its data a mount of its own, and one that was killed leaves that.
    const folder = join(place.folder, "..");
    for (const mount of readFileSync("/proc/mounts", "utf8").matchAll(/^\S+ (\S+)/gm)) {
      if (mount[1]?.startsWith(`${folder}/`)) await execa("umount", ["--lazy", mount[1]]);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const docker = (args: string[], input?: Buffer) =>
    execa("docker", args, { env: { DOCKER_HOST: `unix://${place.socket}` }, ...(input ? { input } : {}) });

  it("starts although a dead engine's number in its file belongs to another program now", async () => {
    writeFileSync(place.pidFile, String(bystander));
    assert.match(await startDockerd(place), /^\d+\.\d+/);
    assert.equal(ownDockerd(place)?.pid, Number(readFileSync(place.pidFile, "utf8")));
  });

  it("is used, not started again, by a second start", async () => {
    const first = ownDockerd(place)?.pid;
    await startDockerd(place);
    assert.equal(ownDockerd(place)?.pid, first);
  });

  it("starts again over what a killed one left: its containerd, its socket, its files", async () => {
    const pid = ownDockerd(place)?.pid as number;
    process.kill(pid, "SIGKILL");
    await poll(() => nameOf(pid) === undefined || undefined, { forMs: 10_000 });
    assert.ok(existsSync(place.socket) && existsSync(place.pidFile));
    assert.equal(ownDockerd(place), undefined);
    assert.match(await startDockerd(place), /^\d+\.\d+/);
    assert.notEqual(ownDockerd(place)?.pid, pid);
  });

  it("runs a container that asks for more than root has, and is not stopped while one runs", async () => {
    const { stdout: libraries } = await execa("sh", ["-c", "ldd /bin/sleep | grep -o '/[^ ]*'"]);
    const { stdout: image } = await execa("tar", ["-chf", "-", "/bin/sleep", ...libraries.split("\n")], {
      encoding: "buffer",
    });
    await docker(["import", "-", "vault-ha-test:sleep"], Buffer.from(image));
    const like = ["--privileged", "--network=none", "--rm", "--name=vault-ha-test-sleep"];
    await docker(["run", "--detach", ...like, "vault-ha-test:sleep", "/bin/sleep", "300"]);
    assert.deepEqual(await stopDockerd(place), {
      stopped: false,
      says: "the Docker engine stays: it runs vault-ha-test-sleep",
    });
    assert.ok(await engineVersion(`unix://${place.socket}`));
    await docker(["kill", "vault-ha-test-sleep"]);
  });

  it("stays when the noted process is another one by now", async () => {
    const file = join(place.folder, "engine.json");
    const noted = readFileSync(file, "utf8");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(noted), started: "1" }));
    assert.equal((await stopDockerd(place)).stopped, false);
    assert.ok(await engineVersion(`unix://${place.socket}`));
    writeFileSync(file, noted);
  });

  it("is stopped with its containerd when nothing runs in it, and then forgotten", async () => {
    const containerd = Number(readFileSync(place.containerdPidFile, "utf8"));
    await poll(async () => ((await docker(["ps", "-q"])).stdout === "" ? true : undefined), {
      forMs: 10_000,
    });
    assert.equal((await stopDockerd(place)).stopped, true);
    assert.equal(await engineVersion(`unix://${place.socket}`), undefined);
    const gone = await poll(() => nameOf(containerd) === undefined || undefined, { forMs: 10_000 });
    assert.ok(gone, "containerd ends with it");
    assert.equal((await stopDockerd(place)).stopped, false);
  });

  it("that cannot start says why, with the end of its log", async () => {
    const wrong = { ...place, flags: [...place.flags, "--storage-driver=nonesuch"] };
    await assert.rejects(
      startDockerd(wrong),
      /does not answer: it ended with code 1\..*driver not supported.*Whole log:/s,
    );
    assert.equal(ownDockerd(wrong), undefined);
  });
});

describe("the capability that decides whether runc is wrapped", () => {
  it("is read from the effective set", () => {
    assert.equal(hasSysResource("Name:\tnode\nCapEff:\t000001ffffffffff\n"), true);
    assert.equal(hasSysResource("Name:\tnode\nCapEff:\t000001fffeffffff\n"), false);
    assert.equal(hasSysResource("Name:\tnode\nCapEff:\t0000000000000000\n"), false);
  });
});

describe("the wrapper around runc", () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    // Plays runc: prints how it was called.
    writeFileSync(join(folder, "runc"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const wrap = (...args: string[]) =>
    execa("setup/engine/runc-wrap", args, {
      cwd: process.cwd(),
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
  const asked = {
    args: ["/sbin/init"],
    oomScoreAdj: -999,
    capabilities: {
      bounding: ["CAP_CHOWN", "CAP_SYS_RESOURCE"],
      effective: ["CAP_SYS_RESOURCE"],
      ambient: null,
    },
  };
  const given = {
    args: ["/sbin/init"],
    oomScoreAdj: 0,
    capabilities: { bounding: ["CAP_CHOWN"], effective: [], ambient: [] },
  };
  const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

  for (const bundle of [
    (at: string) => ["--bundle", at],
    (at: string) => ["-b", at],
    (at: string) => [`--bundle=${at}`],
  ]) {
    it(`takes both out of a container's configuration and calls runc as asked (${bundle("<dir>").join(" ")})`, async () => {
      write("config.json", { ociVersion: "1.0.2", process: asked });
      const args = ["--log", "/a b", "create", ...bundle(folder), "id"];
      assert.deepEqual((await wrap(...args)).stdout.split("\n"), args);
      assert.deepEqual(read("config.json"), { ociVersion: "1.0.2", process: given });
    });
  }

  it("takes both out of a process that is to be run in a container", async () => {
    write("process.json", asked);
    await wrap("exec", "--process", join(folder, "process.json"), "id");
    assert.deepEqual(read("process.json"), given);
  });

  it("keeps a positive oom_score_adj, and a configuration without capabilities", async () => {
    write("config.json", { process: { oomScoreAdj: 500 } });
    await wrap("run", "--bundle", folder, "id");
    assert.deepEqual(read("config.json"), { process: { oomScoreAdj: 500 } });
  });

  it("does not run a container whose configuration it cannot read", async () => {
    writeFileSync(join(folder, "config.json"), "{");
    await assert.rejects(wrap("create", "--bundle", folder, "id"), /parse error/);
    assert.equal(readFileSync(join(folder, "config.json"), "utf8"), "{");
  });

  it("leaves other verbs alone", async () => {
    assert.equal((await wrap("state", "id")).stdout, "state\nid");
  });
});
