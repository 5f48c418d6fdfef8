import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { exportLines, shellEnvironment, toolEnvironment } from "../../setup/environment.ts";
import { checkout, local } from "../../setup/folders.ts";
import { makePassphrase } from "../../setup/passphrase.ts";

const user = { HOME: "/home/u", PATH: "/usr/bin:/bin", VAULT_HA_CACHE: "/cache" };

describe("the tools' environment", () => {
  it("has the tools first on PATH, each folder once, without what npm adds", () => {
    const { PATH } = shellEnvironment(false, {
      ...user,
      PATH: `/x/node_modules/.bin:/npm/node-gyp-bin:${local.bin}:/usr/bin:/bin:/usr/bin`,
    });
    assert.equal(PATH, `${local.bin}:${checkout}/node_modules/.bin:/usr/bin:/bin`);
  });

  it("keeps state, plug-ins and passphrase in the checkout, caches in the cache folder", () => {
    const env = toolEnvironment(false, user);
    assert.equal(env.PULUMI_HOME, local.pulumiHome);
    assert.equal(env.PULUMI_BACKEND_URL, `file://${local.state}`);
    assert.equal(env.PULUMI_CONFIG_PASSPHRASE_FILE, local.passphrase);
    const ours = [checkout, "/cache/", "file://", "true"];
    for (const [name, value] of Object.entries(env).filter(([name]) => name !== "VAULT_HA_CACHE")) {
      assert.ok(
        ours.some((start) => value.startsWith(start)),
        `${name}=${value}`,
      );
    }
  });

  it("leaves a backend, a Pulumi home and a passphrase of the user's own, also an empty one", () => {
    const own = { PULUMI_BACKEND_URL: "s3://b", PULUMI_HOME: "/h", PULUMI_CONFIG_PASSPHRASE: "" };
    const env = shellEnvironment(false, { ...user, ...own });
    assert.equal(env.PULUMI_BACKEND_URL, "s3://b");
    assert.equal(env.PULUMI_HOME, "/h");
    assert.equal("PULUMI_CONFIG_PASSPHRASE_FILE" in env, false);
    const file = { ...user, PULUMI_CONFIG_PASSPHRASE_FILE: "/secret" };
    assert.equal(shellEnvironment(false, file).PULUMI_CONFIG_PASSPHRASE_FILE, "/secret");
  });

  it("does not take another checkout's environment for the user's own", () => {
    const other = "/other";
    const env = shellEnvironment(false, {
      ...user,
      VAULT_HA_CHECKOUT: other,
      PATH: `${other}/.local/bin:/usr/bin`,
      PULUMI_HOME: `${other}/.local/pulumi-home`,
      PULUMI_BACKEND_URL: `file://${other}/.local/state`,
      PULUMI_CONFIG_PASSPHRASE_FILE: `${other}/.local/passphrase`,
    });
    assert.equal(env.PULUMI_BACKEND_URL, `file://${local.state}`);
    assert.equal(env.PULUMI_HOME, local.pulumiHome);
    assert.equal(env.PULUMI_CONFIG_PASSPHRASE_FILE, local.passphrase);
    assert.equal(env.PATH?.includes(other), false);
  });

  it("is the same again in a shell that has it", () => {
    const once = shellEnvironment(true, user);
    assert.deepEqual(shellEnvironment(true, { ...user, ...once }), once);
  });

  it("keeps Pulumi from looking for plug-ins on a closed network only", () => {
    const name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION";
    assert.equal(shellEnvironment(true, user)[name], "true");
    assert.equal(name in shellEnvironment(false, user), false);
  });

  it("leaves a shell's XDG folders alone", () => {
    const names = Object.keys(shellEnvironment(false, user));
    assert.deepEqual(
      names.filter((name) => name.startsWith("XDG_")),
      [],
    );
  });

  it("survives a shell's eval whatever a value holds", async () => {
    const value = "a 'b' \"c\" $HOME `d` \\";
    const { stdout } = await execa("sh", ["-c", `${exportLines({ TRIED: value })} printf %s "$TRIED"`]);
    assert.equal(stdout, value);
  });

  it("is all that `env` writes to standard output", async () => {
    const { stdout } = await execa(process.execPath, ["commands/env.ts"]);
    for (const line of stdout.split("\n")) assert.match(line, /^export \w+='[^']*'$/);
    const { stdout: json } = await execa(process.execPath, ["commands/env.ts", "--json"]);
    assert.equal(JSON.parse(json).VAULT_HA_CHECKOUT, checkout);
  });
});

describe("the passphrase file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is made once, for its owner alone", () => {
    const file = join(folder, "passphrase");
    makePassphrase(file, join(folder, "state"));
    const first = readFileSync(file, "utf8");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(first, /^[\w-]{43}\n$/);
    makePassphrase(file, join(folder, "state"));
    assert.equal(readFileSync(file, "utf8"), first);
  });

  it("is not made anew where stacks need the old one", () => {
    const stacks = join(folder, "state/.pulumi/stacks/vault-ha");
    mkdirSync(stacks, { recursive: true });
    writeFileSync(join(stacks, "dev.json"), "{}");
    assert.throws(
      () => makePassphrase(join(folder, "passphrase"), join(folder, "state")),
      /passphrase is gone, and the secrets of vault-ha\/dev .* open with nothing else/,
    );
  });
});
