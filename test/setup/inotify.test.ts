import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { raiseWatchLimits } from "../../setup/inotify.ts";

describe("the kernel's limits for watching files", () => {
  let folder: string;
  let said: string[];
  const say = { now: () => {}, line: (text: string) => void said.push(text) };
  const limits = (instances: number, watches: number) => {
    writeFileSync(join(folder, "max_user_instances"), `${instances}\n`);
    writeFileSync(join(folder, "max_user_watches"), `${watches}\n`);
  };
  const instances = () => Number(readFileSync(join(folder, "max_user_instances"), "utf8"));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-inotify-"));
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are raised by root, which is said", () => {
    limits(128, 524_288);
    raiseWatchLimits(say, folder, true);
    assert.equal(instances(), 512);
    assert.deepEqual(said, [
      "raised fs.inotify.max_user_instances from 128 to 512 until the next boot, as kind asks",
    ]);
  });

  it("are left alone where they suffice", () => {
    limits(8192, 1_000_000);
    raiseWatchLimits(say, folder, true);
    assert.equal(instances(), 8192);
    assert.deepEqual(said, []);
  });

  it("are named with the command that raises them where the user is not root", () => {
    limits(128, 100);
    raiseWatchLimits(say, folder, false);
    assert.equal(instances(), 128);
    assert.equal(said.length, 2);
    assert.match(said[0] ?? "", /sudo sysctl fs\.inotify\.max_user_instances=512$/);
  });

  it("do not exist on every system", () => {
    raiseWatchLimits(say, join(folder, "none"), true);
    assert.deepEqual(said, []);
  });
});
