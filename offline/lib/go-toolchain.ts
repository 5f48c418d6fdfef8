import { join } from "node:path";
import { execa } from "execa";
import { cacheDir } from "./cache-dir.ts";

/** The oldest Go that compiles all modules under offline/go: what their go.mod files ask for. */
export const oldestGo = "1.26.0";

/** Settings of the user's own Go that say where modules may be had; everything else is set here. */
const sourceSettings = ["GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH"];

/**
 * The variables that a `go` command gets: modules, build results and checksum records go into the cache
 * folder, never to ~/go; go.mod files are never changed; programs are static and the same wherever they are
 * built. Where modules come from is left as the user has it (`go env GOPROXY` and its like).
 * Throws when there is no `go`, or one older than `oldestGo`.
 */
export async function goEnvironment(env: NodeJS.ProcessEnv = process.env): Promise<NodeJS.ProcessEnv> {
  const asked = await execa("go", ["env", "-json", "GOVERSION", ...sourceSettings], {
    env: { ...env, GOTOOLCHAIN: "local", GOFLAGS: "" },
    extendEnv: false,
    reject: false,
  });
  if (asked.failed) {
    const found = asked.code === "ENOENT" ? "there is no `go` on PATH" : `\`go env\` said: ${asked.stderr}`;
    throw new Error(missingGo(found));
  }
  const { GOVERSION: version, ...sources } = JSON.parse(asked.stdout) as Record<string, string>;
  if (!isNewEnough(version ?? "")) throw new Error(missingGo(`\`go\` on PATH is ${version}`));

  const folder = join(cacheDir(env), "go");
  return {
    ...sources,
    GOCACHE: join(folder, "build"),
    GOMODCACHE: join(folder, "mod"),
    GOPATH: join(folder, "path"),
    GOENV: "off",
    GOWORK: "off",
    // Go keeps its telemetry counters in the folder of user settings.
    XDG_CONFIG_HOME: join(folder, "config"),
    GOTOOLCHAIN: "local",
    // -pgo=off: a program's profile would have all its libraries compiled once more, for it alone.
    // -modcacherw: the cache can be removed without changing modes first.
    GOFLAGS: "-mod=readonly -modcacherw -trimpath -buildvcs=false -pgo=off",
    CGO_ENABLED: "0",
    GOOS: undefined,
    GOARCH: undefined,
    GOAMD64: undefined,
    GOARM64: undefined,
    GOEXPERIMENT: undefined,
    GODEBUG: undefined,
  };
}

/** Whether a version as Go says it, "go1.26.8", is `oldestGo` or newer. False for one it cannot read. */
export function isNewEnough(version: string): boolean {
  const found = /^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  if (!found) return false;
  const [major = 0, minor = 0, patch = 0] = found.slice(1).map((number) => Number(number ?? 0));
  const [wantedMajor = 0, wantedMinor = 0, wantedPatch = 0] = oldestGo.split(".").map(Number);
  return major !== wantedMajor
    ? major > wantedMajor
    : minor !== wantedMinor
      ? minor > wantedMinor
      : patch >= wantedPatch;
}

function missingGo(found: string): string {
  return (
    `Programs are built from Go modules here, which takes Go ${oldestGo} or newer; ${found}.\n` +
    "Install it as https://go.dev/doc/install says, then look at: go version"
  );
}
