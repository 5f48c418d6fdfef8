import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { cronJobSpec } from "../../components/backup-job.ts";
import { backupScript } from "../../components/backup-script.ts";
import { bucketScript } from "../../components/bucket-script.ts";
import { readSettings } from "../../config.ts";
import { rclone } from "../../offline/go.ts";
import { buildParts } from "../../offline/lib/build-parts.ts";
import { Store } from "../../offline/lib/store.ts";
import { bucketTrouble } from "../../operate/backup/bucket-trouble.ts";
import { backupsIn } from "../../operate/backup/open.ts";
import { goodRecord } from "../../operate/backup/view.ts";
import { bucketOf } from "../../steps/lib/backup-bucket.ts";
import { backupLogin } from "../../steps/lib/backup-login.ts";
import { readSnapshot } from "../../steps/lib/snapshot-file.ts";
import { savedElsewhere } from "../../steps/lib/snapshot-record.ts";
import { type Key, S3Server } from "../support/s3-server.ts";
import { podToken, tokenReviews } from "../support/token-review.ts";
import { VaultStack } from "../support/vault-stack.ts";

const bucket = "snapshots";
const cluster = "0a1b2c3d-0000-4000-8000-000000000001";
const key: Key = { id: "BACKUPKEY", secret: randomBytes(20).toString("hex") };

/** The statements that docs/backup.md has for the key, for this bucket and this stack. */
function documentedPolicy(): object[] {
  const [, text = ""] = /```json\n([\s\S]*?)```/.exec(readFileSync("docs/backup.md", "utf8")) ?? [];
  return JSON.parse(text.replaceAll("my-bucket", bucket).replaceAll("/prod/", "/dev/")).Statement;
}

describe("scheduled snapshots in a bucket, of a real server of S3", function () {
  this.timeout(60_000);
  let folder: string;
  let server: S3Server;
  let program: string;
  let runs = 0;

  before(async function () {
    // Where the parts are not there yet.
    this.timeout(600_000);
    const store = new Store();
    await buildParts([rclone], { store });
    program = store.path(rclone);
    folder = await mkdtemp(join(tmpdir(), "vault-ha-bucket-"));
    server = await S3Server.start(folder);
    await server.makeBucket(bucket, { key, statements: documentedPolicy() });
  });
  after(async () => {
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The environment of the pod's second container, with a key as its Secret would give it. */
  function containerEnv(
    more: Record<string, string> = {},
    given: Partial<Key> = key,
  ): Record<string, string> {
    const { settings, problems } = readSettings({
      "backup.schedule": "0 * * * *",
      "backup.keep": "2",
      "backup.bucket.name": bucket,
      "backup.bucket.endpoint": server.endpoint,
      "backup.bucket.insecure": "true",
      "backup.bucket.secretName": "bucket-key",
      ...more,
    });
    assert.ok(settings?.backup, problems.join("\n"));
    const spec = cronJobSpec({
      stack: "dev",
      settings: { ...settings, backup: settings.backup },
      scheme: "http",
      values: {},
      rcloneImage: "rclone",
    });
    const [container] = spec.jobTemplate.spec.template.spec.containers;
    const { id = "", secret = "" } = given;
    return {
      ...Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? ""])),
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
    };
  }

  /** A folder as the first container leaves it, and the snapshot's name. */
  function leaveSnapshot(time: string, { index = 7, clusterId = cluster, content = "what was saved" } = {}) {
    const at = join(folder, `pod-${runs++}`);
    mkdirSync(at);
    const name = `dev-${time}-${index}.snap`;
    writeFileSync(join(at, name), content);
    const record = {
      ...{ version: 1, stack: "dev", clusterId, index, term: 2, size: content.length },
      savedAt: time.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"),
      sha256: createHash("sha256").update(content).digest("hex"),
    };
    writeFileSync(join(at, `${name}.json`), `${JSON.stringify(record)}\n`);
    return { at, name, record };
  }

  /** What the second container does with it. */
  async function bring(at: string, env = containerEnv(), path = "") {
    const message = join(folder, `message-${runs++}`);
    const ran = await execa("sh", ["-c", bucketScript], {
      extendEnv: false,
      reject: false,
      all: true,
      env: {
        ...{ ...env, FOLDER: at, RECORD: message, HOME: folder, REST: `${program}:${process.env.PATH}` },
        PATH: `${path}${program}:${process.env.PATH}`,
      },
    });
    assert.ok(!ran.all.includes(key.secret), ran.all);
    const good = ran.exitCode === 0 ? goodRecord(readFileSync(message, "utf8")) : undefined;
    return { ...ran, good };
  }

  /** A program `rclone` that stands before the real one. */
  function instead(script: string): string {
    const bin = join(folder, `instead-${runs++}`);
    mkdirSync(bin);
    writeFileSync(join(bin, "rclone"), `#!/bin/sh\nPATH=$REST\n${script}\nexec rclone "$@"\n`);
    chmodSync(join(bin, "rclone"), 0o755);
    return `${bin}:`;
  }

  const own = `vault-ha/dev/${cluster}`;
  const snapshots = async (under = own) =>
    (await server.objects(bucket)).filter((name) => name.startsWith(`${under}/`) && name.endsWith(".snap"));
  const trouble = (said: string, env: Record<string, string>) => {
    const place = bucketOf(Object.entries(env).map(([name, value]) => ({ name, value })));
    assert.ok(place);
    return bucketTrouble(said, place, (words) => `kubectl ${words}`);
  };

  it("arrive whole with their record, by a key that may do what docs/backup.md allows it and no more", async () => {
    const { at, name, record } = leaveSnapshot("20260101T000000Z");
    const brought = await bring(at);
    assert.equal(brought.exitCode, 0, brought.all);
    assert.deepEqual(await server.objects(bucket), [`${own}/${name}`, `${own}/${name}.json`]);
    assert.equal(readFileSync(server.path(bucket, `${own}/${name}`), "utf8"), "what was saved");
    assert.deepEqual(brought.good, { file: name, record, kept: [{ file: name, size: record.size }] });

    const { exitCode, all } = await bring(at, containerEnv({ "backup.bucket.prefix": "elsewhere" }));
    assert.notEqual(exitCode, 0);
    assert.match(trouble(all, containerEnv())?.says ?? all, /knows the key, which may not do what it has to/);
    const listed = await execa("rclone", ["lsf", `:s3:${bucket}/`], {
      ...{ reject: false, all: true, extendEnv: false },
      env: { ...containerEnv(), PATH: program },
    });
    assert.match(listed.all, /AccessDenied/);
  });

  it("are kept up to a number, and those of another Vault of the stack's name are left alone", async () => {
    const other = { clusterId: "ffffffff-0000-4000-8000-000000000002" };
    for (const time of ["20250101T000000Z", "20250102T000000Z"])
      assert.equal((await bring(leaveSnapshot(time, other).at)).exitCode, 0);
    writeFileSync(server.path(bucket, `${own}/by-hand.snap`), "kept");
    const second = leaveSnapshot("20260102T000000Z", { index: 100_000 });
    const third = leaveSnapshot("20260103T000000Z", { index: 9 });
    for (const each of [second, third]) {
      const { exitCode, all } = await bring(each.at);
      assert.equal(exitCode, 0, all);
    }
    assert.deepEqual(await snapshots(), [
      `${own}/by-hand.snap`,
      `${own}/${second.name}`,
      `${own}/${third.name}`,
    ]);
    assert.equal((await snapshots(`vault-ha/dev/${other.clusterId}`)).length, 2);
    assert.ok(
      !(await server.objects(bucket)).some((name) => name.includes("20260101")),
      "its record goes, too",
    );
  });

  it("go in parts where they are large, with the same rights, and leave no part behind", async () => {
    const content = randomBytes(6_000_000).toString("hex");
    const large = leaveSnapshot("20260103T120000Z", { content });
    // rclone's own limit is 200 MiB.
    const brought = await bring(large.at, { ...containerEnv(), RCLONE_S3_UPLOAD_CUTOFF: "5Mi" });
    assert.equal(brought.exitCode, 0, brought.all);
    assert.ok(readFileSync(server.path(bucket, `${own}/${large.name}`), "utf8") === content);
    const listed = await server.send(
      "GET",
      `/${bucket}?prefix=${encodeURIComponent(`${own}/${large.name}`)}`,
    );
    assert.match(listed, /<ETag>[^<]*-3/, "it did not go in three parts");
    const parts = await server.send("GET", `/${bucket}?uploads=`);
    assert.doesNotMatch(parts, /<Upload>/);
  });

  it("never lose the one that was just saved, whatever the clocks said of the others", async () => {
    const late = leaveSnapshot("20990101T000000Z");
    assert.equal((await bring(late.at)).exitCode, 0);
    const now = leaveSnapshot("20260104T000000Z");
    const brought = await bring(now.at, containerEnv({ "backup.keep": "1" }));
    assert.equal(brought.exitCode, 0, brought.all);
    const names = await snapshots();
    assert.ok(names.includes(`${own}/${now.name}`), names.join());
    assert.equal(brought.good?.file, now.name);
    for (const each of [late.name, `${late.name}.json`]) rmSync(server.path(bucket, `${own}/${each}`));
  });

  it("are none where what is read back is not what was sent, and what was there stays", async () => {
    const before = await server.objects(bucket);
    const { at, name } = leaveSnapshot("20260105T000000Z");
    const cut = await bring(at, containerEnv(), instead('if [ "$1" = cat ]; then echo changed; exit; fi'));
    assert.notEqual(cut.exitCode, 0);
    assert.match(trouble(cut.all, containerEnv())?.says ?? cut.all, /gives back is not what was sent/);
    assert.deepEqual(await server.objects(bucket), before);
    assert.ok(!before.some((each) => each.includes(name)));
  });

  it("cut off between record and snapshot, are none, and the record goes with those of its time", async () => {
    const before = await snapshots();
    const { at, name } = leaveSnapshot("20260106T000000Z");
    const path = instead('case "$3" in *.snap) kill -KILL $PPID; exit 1;; esac');
    const cut = await bring(at, containerEnv(), path);
    assert.notEqual(cut.exitCode, 0);
    assert.deepEqual(await snapshots(), before);
    assert.ok((await server.objects(bucket)).includes(`${own}/${name}.json`));
    for (const time of ["20260107T000000Z", "20260108T000000Z"])
      assert.equal((await bring(leaveSnapshot(time).at)).exitCode, 0);
    assert.ok(!(await server.objects(bucket)).some((each) => each.includes("20260106")));
  });

  it("are good where older ones may not be removed, and that is told", async () => {
    const appending: Key = { id: "APPENDKEY", secret: randomBytes(20).toString("hex") };
    const another = "locked-snapshots";
    const statements = JSON.parse(JSON.stringify(documentedPolicy()).replaceAll(bucket, another));
    for (const each of statements)
      if (Array.isArray(each.Action))
        each.Action = each.Action.filter((may: string) => may !== "s3:DeleteObject");
    await server.makeBucket(another, { key: appending, statements });
    const env = () => containerEnv({ "backup.bucket.name": another, "backup.keep": "1" }, appending);
    assert.equal((await bring(leaveSnapshot("20260101T000000Z").at, env())).good?.left, undefined);
    const { good, all } = await bring(leaveSnapshot("20260102T000000Z").at, env());
    assert.equal(good?.left, "AccessDenied", all);
    assert.equal(good?.kept.length, 2);
  });

  for (const [what, more, given, words] of [
    ["a wrong key", {}, { ...key, secret: "wrong" }, /does not take the key in the Secret bucket-key/],
    ["an unknown key", {}, { ...key, id: "NOBODY" }, /does not take the key in the Secret bucket-key/],
    ["no Secret", {}, {}, /the Secret bucket-key is not there, or it lacks/],
    ["no such bucket", { "backup.bucket.name": "another" }, key, /has no bucket another/],
    [
      "nobody at the address",
      { "backup.bucket.endpoint": "http://127.0.0.1:1" },
      key,
      /http:\/\/127\.0\.0\.1:1 is not reached from the pod/,
    ],
  ] as const)
    it(`fail with ${what} in plain words, and change nothing`, async () => {
      const before = await server.objects(bucket);
      const env = containerEnv(more, given);
      const failed = await bring(leaveSnapshot("20260109T000000Z").at, env);
      assert.notEqual(failed.exitCode, 0);
      const told = trouble(failed.all.slice(-2048), env);
      assert.match(told?.says ?? failed.all, words);
      assert.ok((told?.next ?? []).length > 0);
      assert.deepEqual(await server.objects(bucket), before);
    });

  it("fail with an endpoint that does not speak HTTPS, in plain words", async () => {
    const env = containerEnv({ "backup.bucket.endpoint": server.endpoint.replace("http", "https") });
    const failed = await bring(leaveSnapshot("20260109T000000Z").at, env);
    assert.match(
      trouble(failed.all.slice(-2048), env)?.says ?? failed.all,
      /certificate that the pod trusts/,
    );
  });

  it("are listed with the Vault that each is of, and a folder that is empty has none", async () => {
    const list = (path: string, name: string = bucket) =>
      execa("rclone", ["lsf", "--recursive", "--files-only", "--format", "ps", `:s3:${name}/${path}`], {
        ...{ reject: false, extendEnv: false },
        env: { ...containerEnv(), PATH: program },
      });
    const backups = backupsIn((await list("vault-ha/dev/")).stdout);
    assert.deepEqual(
      backups
        .filter(({ file }) => file !== "by-hand.snap")
        .map(({ file, clusterId }) => `${clusterId?.[0]} ${file}`),
      [
        "0 dev-20260107T000000Z-7.snap",
        "0 dev-20260108T000000Z-7.snap",
        "f dev-20250101T000000Z-7.snap",
        "f dev-20250102T000000Z-7.snap",
      ],
    );
    const none = await list("vault-ha/dev/none/");
    assert.deepEqual([none.exitCode, none.stdout], [0, ""]);
    const gone = await list("vault-ha/dev/", "another");
    assert.match(trouble(gone.stderr, containerEnv())?.says ?? gone.stderr, /has no bucket/);
  });
});

describe("a snapshot of a real Vault in a bucket", function () {
  this.timeout(600_000);
  let stack: VaultStack;
  let kubernetes: Server;
  let server: S3Server;

  before(async () => {
    kubernetes = await tokenReviews();
    stack = await VaultStack.start(1);
    await stack.raise();
    server = await S3Server.start(join(stack.nodes.folder, "s3"));
    await server.makeBucket(bucket);
  });
  after(async function () {
    kubernetes?.close();
    await server?.end();
    await stack?.end(this);
  });

  it("is whole, and its keys are kept as long as the bucket may have it", async () => {
    const kubernetesHost = `http://127.0.0.1:${(kubernetes.address() as AddressInfo).port}`;
    const login = {
      pods: ["vault-0"],
      token: stack.token,
      kubernetesHost,
      bucket: `s3://${bucket}/vault-ha/dev`,
    };
    for (const _ of ["first", "again"]) {
      const made = await stack.run("backup-login", login);
      assert.equal(made.code, 0, made.stderr);
    }
    assert.deepEqual(await savedElsewhere(stack.stackDir), [`s3://${bucket}/vault-ha/dev`]);

    const at = join(stack.nodes.folder, "pod");
    mkdirSync(at);
    const jwt = join(stack.nodes.folder, "token");
    writeFileSync(jwt, podToken(), { mode: 0o600 });
    const store = new Store();
    await buildParts([rclone], { store });
    const common = {
      PATH: `${store.path(rclone)}:${process.env.PATH}`,
      HOME: stack.nodes.folder,
      STACK: "dev",
    };
    const record = join(stack.nodes.folder, "record");
    const saved = await execa("sh", ["-c", backupScript], {
      extendEnv: false,
      env: {
        ...{ ...common, VAULT_ADDR: stack.nodes.at(0).address, FOLDER: at, KEEP: "1", JWT: jwt },
        ...{ MOUNT: backupLogin.mount, ROLE: backupLogin.role, RECORD: record },
      },
    });
    assert.match(saved.stdout, /^saved dev-/);
    const brought = await execa("sh", ["-c", bucketScript], {
      extendEnv: false,
      env: {
        ...{ ...common, FOLDER: at, KEEP: "3", BUCKET: bucket, BUCKET_FOLDER: "vault-ha/dev" },
        ...{ BUCKET_SECRET: "bucket-key", RECORD: record, RCLONE_CONFIG: "/dev/null" },
        ...{
          RCLONE_S3_PROVIDER: "Other",
          RCLONE_S3_ENDPOINT: server.endpoint,
          RCLONE_S3_REGION: "us-east-1",
        },
        ...{ RCLONE_S3_ENV_AUTH: "true", RCLONE_S3_NO_CHECK_BUCKET: "true" },
        ...{ AWS_ACCESS_KEY_ID: server.root.id, AWS_SECRET_ACCESS_KEY: server.root.secret },
      },
    });
    assert.match(brought.stdout, /and read it back$/);
    const good = goodRecord(readFileSync(record, "utf8"));
    const facts = await readSnapshot(
      server.path(bucket, `vault-ha/dev/${good?.record.clusterId}/${good?.file}`),
    );
    assert.equal(facts.sha256, good?.record.sha256);
    assert.ok(facts.sealed);
  });
});
