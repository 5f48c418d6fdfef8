import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { poll } from "../../setup/processes.ts";
import { SecretScan } from "../support/secret-scan.ts";

/** Bytes that show every difference: + and / in base64, letters in hex. */
const secrets = {
  shares: [Buffer.concat([Buffer.from("fbefbefffffe", "hex"), randomBytes(27)]), randomBytes(33)].map(
    (bytes) => bytes.toString("base64"),
  ),
  rootToken: `hvs.${randomBytes(18).toString("base64url")}`,
};
const [share = "", other = ""] = secrets.shares;
const token = secrets.rootToken;
const raw = Buffer.from(share, "base64");

describe("the scan for secrets", () => {
  let folder: string;
  let scan: SecretScan;
  let children: ChildProcess[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-scan-"));
    scan = new SecretScan([folder]);
    children = [];
  });
  afterEach(() => {
    scan.end();
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });

  const plant = (path: string, content: string | Buffer, mode = 0o600) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
    return file;
  };
  const found = () => scan.find(secrets);

  it("finds nothing where there is nothing, also beside half a secret and another one's", async () => {
    plant("state/dev.json", `{"ciphertext": "v1:${share.slice(0, 30)}", "token": "hvs.${"A".repeat(24)}"}`);
    scan.keep(`init vault-0: initialised with 5 shares ${token.slice(0, 20)}`);
    assert.deepEqual(await found(), []);
  });

  const forms: [form: string, text: string | Buffer, says: string][] = [
    ["a share in the clear", share, "share 1 stands in the clear"],
    ["the second share", other, "share 2 stands in the clear"],
    ["a share without its padding", share.replace(/=+$/, ""), "share 1 stands in base64"],
    ["a share in the alphabet for addresses", raw.toString("base64url"), "share 1 stands in base64"],
    ["a share percent-encoded", encodeURIComponent(share), "share 1 stands percent-encoded"],
    ["a share in hex", raw.toString("hex"), "share 1 stands in hex"],
    ["a share in capital hex", raw.toString("hex").toUpperCase(), "share 1 stands in hex"],
    ["a share's bytes", raw, "share 1 stands as bytes"],
    ["a share's text in hex", Buffer.from(share).toString("hex"), "share 1 stands in hex"],
    ["the token in the clear", token, "the root token stands in the clear"],
    ["the token in hex", Buffer.from(token).toString("hex"), "the root token stands in hex"],
    ...[0, 1, 2].map((before): [string, string, string] => [
      `the token within ${before} bytes of something larger in base64`,
      Buffer.from(`${'{"a'.slice(0, before)}${token}"}`).toString("base64"),
      "the root token stands in base64",
    ]),
  ];
  for (const [form, text, says] of forms)
    it(`finds ${form}`, async () => {
      const file = plant("x", Buffer.concat([Buffer.from("begin "), Buffer.from(text), Buffer.from(" end")]));
      assert.ok((await found()).includes(`${says} in ${file}`), JSON.stringify(await found()));
    });

  for (const place of [
    "state/.pulumi/stacks/vault-ha/dev.json",
    "state/.pulumi/stacks/vault-ha/dev.json.bak",
    "state/.pulumi/history/vault-ha/dev/dev-1.history.json",
    "state/.pulumi/backups/vault-ha/dev/dev.1.json",
    "logs/setup.log",
    "stacks/dev/kubeconfig",
    "stacks/dev/vault-init.json.123.tmp",
    "tmp/deep/er/file",
  ])
    it(`finds a secret in ${place}`, async () => {
      const file = plant(place, `{"stdout": "${token}"}`);
      assert.deepEqual(await found(), [`the root token stands in the clear in ${file}`]);
    });

  it("leaves the journal alone, and that of a store that was given up, while nobody else can read them", async () => {
    const journals = ["stacks/dev/vault-init.json", "stacks/dev/vault-init.0d1f-22.json"].map((path) =>
      plant(path, JSON.stringify(secrets)),
    );
    assert.deepEqual(await found(), []);
    for (const file of journals) chmodSync(file, 0o640);
    assert.deepEqual(
      (await found()).sort(),
      journals.sort().map((file) => `${file} has mode 0640, not 0600`),
    );
  });

  it("finds a secret that lies across two pieces of a large file", async () => {
    const file = plant("large", `${"x".repeat((1 << 20) - 10)}${token}${"x".repeat(1 << 20)}`);
    assert.deepEqual(await found(), [`the root token stands in the clear in ${file}`]);
  });

  it("finds a secret in what was printed, in two pieces too, and does not print it again", async () => {
    scan.keep(`unseal vault-0: ${share.slice(0, 9)}`);
    scan.keep(share.slice(9));
    const [line = "", ...more] = await found();
    assert.match(line, /^share 1 stands in the clear in output: "unseal vault-0: \(secret\)/);
    for (const each of [line, ...more]) assert.ok(!each.includes(share.slice(0, 20)));
  });

  for (const [where, options] of [
    ["arguments", { args: [token], env: {} }],
    ["environment", { args: [], env: { VAULT_TOKEN: token } }],
  ] as const)
    it(`finds a secret in the ${where} of any process that ran, also after its end`, async () => {
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", ...options.args], {
        env: { ...process.env, ...options.env },
        stdio: "ignore",
      });
      children.push(child);
      const seen = () => scan.processes.seen().some((text) => text.includes(token)) || undefined;
      assert.ok(await poll(seen, { forMs: 8_000 }), "the process was not seen");
      child.kill("SIGKILL");
      const lines = (await found()).filter((line) =>
        line.startsWith("the root token stands in the clear in process"),
      );
      assert.equal(lines.length, 1);
    });

  it("counts a file and a folder that it cannot read as found, and skips none", async () => {
    const file = plant("closed", token);
    mkdirSync(join(folder, "shut"));
    for (const path of ["closed", "shut"]) chmodSync(join(folder, path), 0);
    chmodSync(folder, 0o755);
    // Root reads everything.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.("nobody");
    try {
      assert.deepEqual((await found()).sort(), [
        `${file} cannot be read (EACCES)`,
        `${join(folder, "shut")} cannot be read (EACCES)`,
      ]);
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  it("does not look at what was there before", async () => {
    scan.end();
    const file = plant("old", token);
    const past = new Date(Date.now() - 60_000);
    utimesSync(file, past, past);
    // The time of the last change of a file's name or mode cannot be set: it has to be waited for.
    await sleep(1_100);
    scan = new SecretScan([folder]);
    assert.deepEqual(await found(), []);
  });

  it("follows no link out of its folders, and takes no harm from what disappears meanwhile", async () => {
    symlinkSync("/", join(folder, "root"));
    symlinkSync("/nonexistent", join(folder, "nowhere"));
    rmSync(join(folder, "nowhere"));
    assert.deepEqual(await found(), []);
    scan.end();
    scan = new SecretScan([join(folder, "gone")]);
    assert.deepEqual(await found(), []);
  });
});
