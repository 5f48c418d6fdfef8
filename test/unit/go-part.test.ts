import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { edited, type GoPartArgs, goPart } from "../../offline/lib/go-part.ts";
import { goEnvironment, isNewEnough } from "../../offline/lib/go-toolchain.ts";
import type { Log } from "../../offline/lib/part.ts";

/**
 * A `go` that writes down what it was asked, finds every module in $FAKE_MODULE (and, like go, says nothing of
 * one that a copy replaces), and "builds" a program that tells the go.mod, the files and the variables it was built with, and the code of replaced modules.
 */
const fakeGo = `#!/bin/sh
echo "$PWD $*" >>"$FAKE_ASKED"
case "$1" in
env) echo "{\\"GOVERSION\\":\\"\${FAKE_VERSION:-go1.26.8}\\",\\"GOPROXY\\":\\"https://proxy.example\\"}" ;;
mod) case "$2" in
  download) grep -q "^replace" go.mod || echo "{\\"Dir\\":\\"$FAKE_MODULE\\"}" ;;
  edit) echo "$3" | sed 's/^-replace=\\(.*\\)=/replace \\1 => /' >>go.mod ;;
  esac ;;
build)
  [ -z "\${FAKE_FAILURE:-}" ] || { echo "main.go:1: $FAKE_FAILURE" >&2; exit 1; }
  while [ "$1" != -o ]; do shift; done
  { cat go.mod; ls -R; env; for copy in $(sed -n "s/^replace .* => //p" go.mod); do cat "$copy"/*.go; done; } >"$2" ;;
esac
`;

describe("a part built from Go modules", () => {
  let folder: string;
  const before = { ...process.env };
  const log = (): Log => ({ path: join(folder, "log"), write: () => {} });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "go-part-"));
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin/go"), fakeGo, { mode: 0o755 });
    await mkdir(join(folder, "module/files"), { recursive: true });
    await writeFile(join(folder, "module/files/start"), "#!/bin/sh\n");
    await writeFile(join(folder, "module/clouds.go"), "one\ntwo\nthree\n");
    await chmod(join(folder, "module/files/start"), 0o444);
    await mkdir(join(folder, "out"));
    Object.assign(process.env, {
      PATH: `${join(folder, "bin")}${delimiter}${before.PATH}`,
      VAULT_HA_CACHE: join(folder, "cache"),
      FAKE_ASKED: join(folder, "asked"),
      FAKE_MODULE: join(folder, "module"),
    });
  });

  afterEach(async () => {
    for (const key of Object.keys(process.env)) if (!(key in before)) delete process.env[key];
    Object.assign(process.env, before);
    await rm(folder, { recursive: true, force: true });
  });

  const make = async (args: Partial<GoPartArgs> = {}): Promise<string> => {
    const part = goPart({
      name: "whoami",
      says: "whoami",
      folder: "whoami",
      programs: [{ name: "whoami", package: "." }],
      ...args,
    });
    await part.make({ out: join(folder, "out"), from: () => assert.fail(), log: log() });
    return readFile(join(folder, "out/whoami"), "utf8");
  };
  const asked = () => readFile(join(folder, "asked"), "utf8");

  it("is built static, from exactly the versions in go.mod, with the program's tags and version", async () => {
    const built = await make({
      programs: [
        { name: "whoami", package: "./cmd", tags: ["a", "b"], variables: { "x/version.V": "1.2.3" } },
      ],
    });
    assert.match(
      await asked(),
      /offline\/go\/whoami build -tags a,b -ldflags -s -w -X x\/version\.V=1\.2\.3 -o /,
    );
    assert.match(built, /^CGO_ENABLED=0$/m);
    assert.match(built, /^GOFLAGS=-mod=readonly .*-trimpath/m);
    assert.match(built, /^GOTOOLCHAIN=local$/m);
  });

  it("keeps what Go stores in the cache folder, and takes modules from where the user has them", async () => {
    const built = await make();
    for (const [name, path] of Object.entries({
      GOCACHE: "go/build",
      GOMODCACHE: "go/mod",
      GOPATH: "go/path",
      XDG_CONFIG_HOME: "go/config",
    })) {
      assert.ok(built.includes(`\n${name}=${join(folder, "cache", path)}\n`), name);
    }
    assert.match(built, /^GOPROXY=https:\/\/proxy\.example$/m);
  });

  it("is the same whatever this user's Go is set to build", async () => {
    Object.assign(process.env, {
      GOOS: "plan9",
      GOEXPERIMENT: "none",
      GOFLAGS: "-race",
      GOWORK: "/x/go.work",
    });
    const built = await make();
    assert.doesNotMatch(built, /^GOOS=|^GOEXPERIMENT=|-race/m);
    assert.match(built, /^GOWORK=off$/m);
  });

  it("brings a module's files, writable and run only where that is said", async () => {
    await make({
      files: [
        { module: "x.example/m", from: "files", to: "base-files" },
        { module: "x.example/m", from: "files/start", to: "start", executable: true },
      ],
    });
    const mode = async (path: string) => ((await stat(join(folder, "out", path))).mode & 0o777).toString(8);
    assert.equal(await mode("base-files/start"), "644");
    assert.equal(await mode("start"), "755");
    assert.equal(await readFile(join(folder, "out/base-files/start"), "utf8"), "#!/bin/sh\n");
  });

  it("puts embedded files beside a copy of the main package, not into the checkout", async () => {
    const built = await make({
      beside: [{ module: "x.example/m", from: "files/start", to: "cmd/embedded" }],
    });
    assert.match(built, /^embedded$/m);
    await assert.rejects(stat("offline/go/whoami/cmd"), { code: "ENOENT" });
    assert.doesNotMatch(await asked(), /offline\/go\/whoami build/);
  });

  it("builds with a changed copy of a module, and leaves the module itself as it is", async () => {
    const built = await make({
      edits: [{ module: "x.example/m", file: "clouds.go", changes: [{ find: "^two\\n", by: "" }] }],
    });
    const copy = /^replace x\.example\/m => (.+)$/m.exec(built)?.[1] ?? assert.fail(built);
    assert.notEqual(copy, join(folder, "module"));
    assert.match(built, /^one\nthree$/m);
    assert.equal(await readFile(join(folder, "module/clouds.go"), "utf8"), "one\ntwo\nthree\n");
    await assert.rejects(stat(copy), { code: "ENOENT" }, "the copy is removed after the build");
  });

  it("makes several changes of a module in one copy of it", async () => {
    const without = (line: string) => ({
      module: "x.example/m",
      file: "clouds.go",
      changes: [{ find: `^${line}\\n`, by: "" }],
    });
    const built = await make({ edits: [without("two"), without("one")] });
    assert.match(built, /^three$/m);
    assert.doesNotMatch(built, /^(one|two)$/m);
    assert.equal(built.match(/^replace /gm)?.length, 1);
  });

  it("brings files of a module that is changed for the build, as the module has them", async () => {
    await make({
      files: [{ module: "x.example/m", from: "clouds.go", to: "clouds.go" }],
      edits: [{ module: "x.example/m", file: "clouds.go", changes: [{ find: "^two\\n", by: "" }] }],
    });
    assert.equal(await readFile(join(folder, "out/clouds.go"), "utf8"), "one\ntwo\nthree\n");
  });

  it("fails with the compiler's words and the log's path", async () => {
    process.env.FAKE_FAILURE = "undefined: x";
    await assert.rejects(make(), (error: Error) => {
      assert.match(error.message, /main\.go:1: undefined: x/);
      assert.ok(error.message.includes(join(folder, "log")));
      return true;
    });
  });

  it("has another key when a flag or a copied file changes", () => {
    const recipe = (args: Partial<GoPartArgs>) =>
      goPart({ name: "p", says: "p", folder: "whoami", programs: [{ name: "p", package: "." }], ...args })
        .recipe;
    const plain = recipe({});
    assert.notEqual(recipe({ programs: [{ name: "p", package: ".", tags: ["minimal"] }] }), plain);
    assert.notEqual(recipe({ files: [{ module: "m", from: "a", to: "b" }] }), plain);
    assert.notEqual(
      recipe({ edits: [{ module: "m", file: "a", changes: [{ find: "b", by: "c" }] }] }),
      plain,
    );
    assert.equal(recipe({ says: "other words" }), plain);
  });

  it("says what to install when there is no go, or an old one", async () => {
    await assert.rejects(
      goEnvironment({ PATH: join(folder, "module") }),
      /no `go` on PATH[\s\S]*go\.dev\/doc\/install/,
    );
    await assert.rejects(
      goEnvironment({ ...process.env, FAKE_VERSION: "go1.19.8" }),
      /Go 1\.26\.0 or newer; `go` on PATH is go1\.19\.8/,
    );
  });
});

describe("a version of Go", () => {
  it("is new enough from 1.26.0 on", () => {
    for (const version of ["go1.26.0", "go1.26", "go1.26.8", "go1.27rc1", "go1.100.1", "go2.0"])
      assert.equal(isNewEnough(version), true, version);
    for (const version of ["go1.25.9", "go1.9", "go1.3.99", "devel", ""])
      assert.equal(isNewEnough(version), false, version);
  });
});

describe("an edit of a module's file", () => {
  it("changes every match and nothing else", () => {
    const changes = [
      { find: '^import "aws"\\n', by: "" },
      { find: "var x \\w+", by: "var x any" },
    ];
    assert.equal(
      edited('import "aws"\nimport "mdns"\nvar x One\nvar x Two\n', { module: "m", file: "f.go", changes }),
      'import "mdns"\nvar x any\nvar x any\n',
    );
  });

  it("is an error where it matches nothing", () => {
    const changes = ["^a$", "gone"].map((find) => ({ find, by: "" }));
    assert.throws(() => edited("a\nb\n", { module: "m", file: "f.go", changes }), /m\/f\.go .*\/gone\//);
  });
});
