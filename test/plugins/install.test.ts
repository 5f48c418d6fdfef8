import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { installPlugins } from "../../offline/plugins/install.ts";

describe("installing the plug-ins", function () {
  this.timeout(20_000);
  let pulumiHome: string;
  const program = () => join(pulumiHome, "plugins/resource-command-v1.2.1/pulumi-resource-command");
  const install = () => installPlugins({ pulumiHome, node: process.execPath });
  const taken = async () =>
    Object.fromEntries((await install()).map((plugin) => [plugin.name, plugin.taken]));

  beforeEach(async () => {
    pulumiHome = await mkdtemp(join(tmpdir(), "vault-ha-install-"));
  });
  afterEach(() => rm(pulumiHome, { recursive: true, force: true }));

  it("puts both where pulumi finds them, in the versions of the SDKs", async () => {
    const installed = await install();
    const env = { PULUMI_HOME: pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const { stdout } = await execa("pulumi", ["plugin", "ls", "--json"], { env });
    const listed: { name: string; version: string }[] = JSON.parse(stdout);
    assert.deepEqual(listed.map(({ name, version }) => `${name} ${version}`).sort(), [
      "command 1.2.1",
      "random 4.21.2",
    ]);
    for (const { name, version } of installed) {
      const sdk = JSON.parse(await readFile(`node_modules/@pulumi/${name}/package.json`, "utf8"));
      assert.equal(version, sdk.pulumi.version ?? sdk.version);
    }
  });

  it("makes a starter that can be run and tells its port", async () => {
    await install();
    const plugin = execa(program(), ["127.0.0.1:1"], { reject: false });
    for await (const line of plugin.iterable()) {
      assert.match(String(line), /^\d+$/);
      plugin.kill("SIGINT");
    }
    assert.equal((await plugin).exitCode, 0);
  });

  it("leaves an official plug-in alone, and says so", async () => {
    await mkdir(join(program(), ".."), { recursive: true });
    await writeFile(program(), "\x7fELF official", { mode: 0o755 });
    assert.deepEqual(await taken(), { command: "official", random: "project" });
    assert.equal(await readFile(program(), "utf8"), "\x7fELF official");
  });

  it("takes the place of an official plug-in whose download was cut off", async () => {
    await mkdir(join(program(), ".."), { recursive: true });
    await writeFile(program(), "\x7fELF half", { mode: 0o755 });
    await writeFile(join(pulumiHome, "plugins/resource-command-v1.2.1.partial"), "");
    assert.deepEqual(await taken(), { command: "project", random: "project" });
    assert.match(await readFile(program(), "utf8"), /^#!\/bin\/sh/);
    assert.deepEqual((await readdir(join(pulumiHome, "plugins"))).sort(), [
      "resource-command-v1.2.1",
      "resource-random-v4.21.2",
    ]);
  });

  it("renews its own starter, also when several runs do it at once, and leaves nothing else", async () => {
    await install();
    await writeFile(program(), (await readFile(program(), "utf8")).replace(process.execPath, "/gone/node"));
    await Promise.all(Array.from({ length: 8 }, install));
    assert.match(await readFile(program(), "utf8"), new RegExp(process.execPath));
    assert.equal((await stat(program())).mode & 0o777, 0o755);
    assert.equal((await readdir(join(pulumiHome, "plugins"))).length, 2);
  });
});
