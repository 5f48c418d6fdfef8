import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { backupScript } from "../../components/backup-script.ts";
import { goodRecord } from "../../operate/backup/view.ts";
import { policyText, stackPolicy, stackRules } from "../../operate/rotation/policies.ts";
import { backupLogin } from "../../steps/lib/backup-login.ts";
import { keysPath, readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { readSnapshot } from "../../steps/lib/snapshot-file.ts";
import { readRecord } from "../../steps/lib/snapshot-record.ts";
import { podToken, tokenReviews } from "../support/token-review.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

describe("snapshots on a schedule, of a real Vault", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let kubernetes: Server;
  let runs = 0;

  before(async () => {
    kubernetes = await tokenReviews();
    stack = await VaultStack.start(1);
    await stack.raise();
    mkdirSync(backups());
  });
  after(async function () {
    kubernetes?.close();
    await stack?.end(this);
  });

  const backups = () => join(stack.nodes.folder, "backups");
  const kubernetesHost = () => `http://127.0.0.1:${(kubernetes.address() as AddressInfo).port}`;
  const login = () =>
    stack.run("backup-login", { pods: ["vault-0"], token: stack.token, kubernetesHost: kubernetesHost() });
  const snapshots = () =>
    readdirSync(backups())
      .filter((name) => name.endsWith(".snap"))
      .sort();

  /** What the CronJob's pod does, with a token as it has. */
  async function save({ jwt = podToken(), keep = 2, path = "" } = {}) {
    const folder = join(stack.nodes.folder, `pod-${runs++}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "token"), jwt, { mode: 0o600 });
    const record = join(folder, "record");
    const ran = await execa("sh", ["-c", backupScript], {
      extendEnv: false,
      reject: false,
      all: true,
      env: {
        PATH: `${path}${process.env.PATH}`,
        REST: process.env.PATH,
        HOME: folder,
        VAULT_ADDR: stack.nodes.at(0).address,
        FOLDER: backups(),
        KEEP: `${keep}`,
        STACK: "dev",
        MOUNT: backupLogin.mount,
        ROLE: backupLogin.role,
        JWT: join(folder, "token"),
        RECORD: record,
      },
    });
    assert.ok(!ran.all.includes(jwt), ran.all);
    return { ...ran, record: existsSync(record) ? readFileSync(record, "utf8") : undefined };
  }

  it("log in by a pod's token, with a login that is made once", async () => {
    const made = await login();
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stderr, /login of scheduled snapshots is made/);
    const again = await login();
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /is there already/);
  });

  it("are whole, readable by their owner alone, and noted beside them as those of npm run snapshot are", async () => {
    const saved = await save();
    assert.equal(saved.exitCode, 0, saved.all);
    const [name = ""] = snapshots();
    const file = join(backups(), name);
    const facts = await readSnapshot(file);
    assert.match(name, new RegExp(`^dev-\\d{8}T\\d{6}Z-${facts.index}\\.snap$`));
    const record = await readRecord(file);
    const { index, term, size, sha256 } = facts;
    assert.deepEqual(
      { ...record, savedAt: "", clusterId: "", vaultVersion: "" },
      {
        ...{
          version: 1,
          stack: "dev",
          savedAt: "",
          clusterId: "",
          vaultVersion: "",
          index,
          term,
          size,
          sha256,
        },
      },
    );
    assert.match(record?.clusterId ?? "", /^[-0-9a-f]{36}$/);
    for (const each of [file, `${file}.json`]) assert.equal(statSync(each).mode & 0o077, 0);
    assert.deepEqual(goodRecord(saved.record ?? ""), { file: name, record, kept: [{ file: name, size }] });
  });

  it("are kept up to a number, and what else lies there is left alone", async () => {
    const [first = ""] = snapshots();
    const other = join(backups(), "by-hand-20200101T000000Z-1.snap");
    writeFileSync(other, "kept");
    for (const old of ["dev-20200102T000000Z-7.snap", "dev-20200101T000000Z-90000.snap"])
      for (const name of [old, `${old}.json`]) writeFileSync(join(backups(), name), "old");
    const saved = await save({ keep: 2 });
    assert.equal(saved.exitCode, 0, saved.all);
    const mine = snapshots().filter((name) => name.startsWith("dev-"));
    assert.equal(mine.length, 2);
    assert.ok(mine.includes(first));
    assert.ok(!mine.includes("dev-20200101T000000Z-90000.snap"));
    assert.ok(existsSync(other));
    assert.deepEqual(
      readdirSync(backups())
        .filter((name) => name.endsWith(".json"))
        .sort(),
      mine.map((name) => `${name}.json`),
    );
  });

  it("may read a snapshot and nothing else with that login", async () => {
    const { auth } = (await stack.nodes.at(0).send("POST", `auth/${backupLogin.mount}/login`, {
      role: backupLogin.role,
      jwt: podToken(),
    })) as { auth: { client_token: string; policies: string[]; lease_duration: number } };
    assert.deepEqual(auth.policies, [backupLogin.policy]);
    assert.equal(auth.lease_duration, 300);
    for (const path of ["sys/mounts", "sys/storage/raft/configuration", "auth/token/lookup-self"])
      await assert.rejects(stack.nodes.at(0).get(path, auth.client_token), /403/, path);
  });

  for (const [who, token] of [
    ["another service account", podToken({ account: "default" })],
    ["one of that name in another namespace", podToken({ namespace: "default" })],
    ["a token for another audience", podToken({ audience: "https://kubernetes.default.svc" })],
  ] as const)
    it(`refuses ${who}, and leaves what was saved before`, async () => {
      const before = readdirSync(backups()).sort();
      const refused = await save({ jwt: token });
      assert.notEqual(refused.exitCode, 0);
      assert.match(refused.all, /403|permission denied|not authorized/);
      assert.equal(refused.record, undefined);
      assert.deepEqual(readdirSync(backups()).sort(), before);
    });

  it("get no name where they were cut off on their way, and nothing of them stays", async () => {
    const before = readdirSync(backups()).sort();
    // What a cut connection leaves: the command says yes, and the file is half a one.
    const bin = join(stack.nodes.folder, "cutting");
    mkdirSync(bin);
    writeFileSync(
      join(bin, "vault"),
      '#!/bin/sh\nPATH=$REST\nvault "$@" || exit\nif [ "$4" = save ]; then head -c 2000 "$5" >"$5.part"; mv "$5.part" "$5"; fi\n',
    );
    chmodSync(join(bin, "vault"), 0o755);
    const cut = await save({ path: `${bin}:` });
    assert.notEqual(cut.exitCode, 0, cut.all);
    assert.match(cut.all, /Error reading snapshot/);
    assert.equal(cut.record, undefined);
    assert.deepEqual(readdirSync(backups()).sort(), before);
    const next = await save();
    assert.equal(next.exitCode, 0, next.all);
  });

  it("have a login that the stack's token may look at once root is revoked, and not change", async () => {
    const node = stack.nodes.at(0);
    const send = (path: string, body: object) => node.send("POST", path, body, stack.token);
    await send(`sys/policies/acl/${stackPolicy}`, { policy: policyText(stackRules) });
    const { auth } = await send("auth/token/create-orphan", { policies: [stackPolicy] });
    const { client_token: token } = auth as { client_token: string };
    const as = (step: string) =>
      stack.run(step, { pods: ["vault-0"], token, kubernetesHost: kubernetesHost() });
    const looked = await as("backup-login");
    assert.equal(looked.code, 0, looked.stderr);
    assert.match(looked.stderr, /is there already/);

    await send(`auth/${backupLogin.mount}/role/${backupLogin.role}`, {
      bound_service_account_names: ["another"],
      bound_service_account_namespaces: ["vault"],
    });
    assertRefused(await as("backup-login"), "may not make the login", "npm run root generate -- --stack dev");
    // Where people hold the shares there is no `root generate`.
    const { answer: _, ...journal } = (await readKeys(stack.stackDir)) ?? assert.fail("there is no journal");
    const held = { holder: { fingerprint: "A".repeat(40), name: "Ada", publicKey: "" }, encrypted: "AAAA" };
    const pgp = { shares: [held], rootToken: held, initialisedAt: new Date().toISOString() };
    const asItWas = await readFile(keysPath(stack.stackDir), "utf8");
    await writeKeys(stack.stackDir, { ...journal, pgp });
    assertRefused(await as("backup-login"), "root token makes it", "npm run custody token -- --stack dev");
    await writeFile(keysPath(stack.stackDir), asItWas);
    const ended = await as("backup-logout");
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /stays in Vault, without use.*403/s);
    const mended = await login();
    assert.match(mended.stderr, /is made/);
    assert.equal((await save()).exitCode, 0);
  });

  it("leave no login behind at the end, and the end is not held up by a Vault that does not answer", async () => {
    const gone = await stack.run("backup-logout", { pods: ["vault-0"], token: stack.token });
    assert.equal(gone.code, 0, gone.stderr);
    const mounts = (await stack.nodes.at(0).get("sys/auth", stack.token)) as { data: object };
    assert.ok(!Object.keys(mounts.data).includes(`${backupLogin.mount}/`));
    await assert.rejects(stack.nodes.at(0).get(`sys/policies/acl/${backupLogin.policy}`, stack.token), /404/);
    const again = await stack.run("backup-logout", { pods: ["vault-0"], token: stack.token });
    assert.equal(again.code, 0, again.stderr);
    await stack.nodes.at(0).send("PUT", "sys/seal", {}, stack.token);
    const sealed = await stack.run("backup-logout", { pods: ["vault-0"], token: stack.token });
    assert.equal(sealed.code, 0, sealed.stderr);
    assert.match(sealed.stderr, /stays in Vault, without use/);
    await stack.unseal("vault-0");
  });

  it("leave alone what somebody else has under the same name", async () => {
    await stack.nodes.at(0).send("POST", `sys/auth/${backupLogin.mount}`, { type: "approle" }, stack.token);
    assertRefused(await login(), "was not made by this program", "vault auth list");
    const end = await stack.run("backup-logout", { pods: ["vault-0"], token: stack.token });
    assert.equal(end.code, 1);
  });
});
