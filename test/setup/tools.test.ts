import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removal } from "../../setup/leftovers.ts";
import { putLink, putProgram } from "../../setup/links.ts";
import { officialKind, officialKubectl, officialPulumi } from "../../setup/official.ts";
import { lookOnPath } from "../../setup/path-programs.ts";
import { playSource } from "./http-source.ts";

describe("the tools", () => {
  let folder: string;
  let cacheBefore: string | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    cacheBefore = process.env.VAULT_HA_CACHE;
    process.env.VAULT_HA_CACHE = join(folder, "cache");
  });
  afterEach(() => {
    if (cacheBefore === undefined) delete process.env.VAULT_HA_CACHE;
    else process.env.VAULT_HA_CACHE = cacheBefore;
    rmSync(folder, { recursive: true, force: true });
  });

  const program = (name: string, prints: string, at = "path") => {
    mkdirSync(join(folder, at), { recursive: true });
    writeFileSync(join(folder, at, name), `#!/bin/sh\necho '${prints}'\n`, { mode: 0o755 });
  };
  const path = () => `${join(folder, "path")}:/nonesuch`;

  describe("on PATH", () => {
    it("are taken in a version that fits", async () => {
      program("kind", "kind v0.33.0 go1.26.1 linux/amd64");
      program("kubectl", "Client Version: v1.36.3");
      program("pulumi", "v3.215.0");
      program("pulumi-language-nodejs", "");
      const { programs, refused } = await lookOnPath(path());
      assert.deepEqual(refused, []);
      const found = Object.entries(programs).map(([name, { version, from }]) => `${name} ${version} ${from}`);
      assert.deepEqual(found.sort(), ["kind 0.33.0 PATH", "kubectl 1.36.3 PATH", "pulumi 3.215.0 PATH"]);
    });

    it("are refused in another, when they say none, or without their companion, each with the reason", async () => {
      program("kind", "what?");
      program("kubectl", "Client Version: v1.32.4-dispatcher");
      program("pulumi", "v3.215.0");
      const { programs, refused } = await lookOnPath(path());
      assert.deepEqual(programs, {});
      assert.deepEqual(refused.sort(), [
        `${folder}/path/kind does not say its version`,
        `${folder}/path/kubectl is 1.32.4-dispatcher; fitting are 1.35.0 up to 1.38.0`,
        `${folder}/path/pulumi has no pulumi-language-nodejs beside it`,
      ]);
    });
  });

  describe("from their makers", () => {
    it("kind and kubectl: come from their release, checked, and once", async () => {
      const text = "#!/bin/sh\n";
      const sum = createHash("sha256").update(text).digest("hex");
      const source = await playSource((request, response) => {
        response.end(/\.sha256(sum)?$/.test(request.url ?? "") ? `${sum}  kind-linux-amd64\n` : text);
      });
      try {
        for (let i = 0; i < 2; i++) {
          assert.ok(existsSync(await officialKind({}, `${source.url}/kind`)));
          assert.ok(existsSync(await officialKubectl({}, `${source.url}/kubectl`)));
        }
        assert.deepEqual(source.asked, ["/kind.sha256sum", "/kind", "/kubectl.sha256", "/kubectl"]);
      } finally {
        await source.close();
      }
    });

    const install = (names: string[]) => async (root: string) => {
      mkdirSync(join(root, "bin"), { recursive: true });
      for (const name of names) writeFileSync(join(root, "bin", name), "");
    };
    const downloads = () => readdirSync(join(folder, "cache/download"));

    it("Pulumi: comes by its own installer, once", async () => {
      const found = await officialPulumi(install(["pulumi", "pulumi-language-nodejs"]));
      assert.match(found, /download\/pulumi-3\.\d+\.\d+\/bin\/pulumi$/);
      assert.ok(existsSync(found));
      const again = await officialPulumi(() => Promise.reject(new Error("asked again")));
      assert.equal(again, found);
    });

    it("Pulumi: leaves nothing behind when its installer fails, or brings half of it", async () => {
      await assert.rejects(
        officialPulumi(install(["pulumi"])),
        /brought no pulumi-language-nodejs\nTry again/,
      );
      assert.deepEqual(downloads(), []);
      const failing = async (root: string) => {
        await install(["pulumi"])(root);
        throw new Error("cut off");
      };
      await assert.rejects(officialPulumi(failing), /could not be installed from .*: cut off\nTry again/);
      assert.deepEqual(downloads(), []);
    });
  });

  describe("as links", () => {
    it("point to what they should, also over an older link or a folder", () => {
      const [a, b, link] = ["a", "b", "link"].map((name) => join(folder, name)) as [string, string, string];
      for (const file of [a, b]) writeFileSync(file, "");
      mkdirSync(join(link, "old"), { recursive: true });
      putLink(link, a);
      assert.equal(readlinkSync(link), a);
      putLink(link, b);
      assert.equal(readlinkSync(link), b);
      assert.deepEqual(readdirSync(folder).sort(), ["a", "b", "link"]);
    });

    it("are the program itself where Pulumi looks beside it, also after the program has changed", () => {
      const [target, path] = ["target", "program"].map((name) => join(folder, name)) as [string, string];
      for (const text of ["one", "another"]) {
        rmSync(target, { force: true });
        writeFileSync(target, text);
        putProgram(path, target);
        assert.ok(lstatSync(path).isFile());
        assert.equal(readFileSync(path, "utf8"), text);
      }
      const { ctimeMs } = lstatSync(path);
      putProgram(path, target);
      assert.equal(lstatSync(path).ctimeMs, ctimeMs, "it was put there again");
    });

    it("are not made to what is not there", () => {
      assert.throws(() => putLink(join(folder, "link"), join(folder, "gone")), /gone is not there/);
      assert.equal(existsSync(join(folder, "link")), false);
    });
  });
});

describe("what a destroy left in Docker", () => {
  it("is removed by commands that name each thing, in an order that works", () => {
    assert.deepEqual(removal({ containers: ["a", "b"], volumes: ["v"], networks: ["n"] }), [
      "docker rm --force --volumes a b",
      "docker volume rm v",
      "docker network rm n",
    ]);
    assert.deepEqual(removal({ containers: [], volumes: [], networks: [] }), []);
  });
});
