import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import sdk from "@pulumi/pulumi/package.json" with { type: "json" };
import { cacheDir } from "../offline/lib/cache-dir.ts";
import { type DownloadOptions, download } from "./download.ts";
import { versions } from "./versions.ts";

const system = process.platform === "darwin" ? "darwin" : "linux";
const cpu = process.arch === "arm64" ? "arm64" : "amd64";

/** kind's release: https://kind.sigs.k8s.io/docs/user/quick-start/#installing-from-release-binaries */
export const kindUrl = `https://github.com/kubernetes-sigs/kind/releases/download/v${versions.kind}/kind-${system}-${cpu}`;
/** kubectl's release: https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/ */
export const kubectlUrl = `https://dl.k8s.io/release/v${versions.kubernetes}/bin/${system}/${cpu}/kubectl`;

/** Brings kind from its release and gives its path. */
export async function officialKind(options: DownloadOptions = {}, url = kindUrl): Promise<string> {
  const to = join(cacheDir(), "download", `kind-${versions.kind}`);
  await download({ url, checksumUrl: `${url}.sha256sum`, to }, options);
  return to;
}

/** Brings kubectl from its release and gives its path. */
export async function officialKubectl(options: DownloadOptions = {}, url = kubectlUrl): Promise<string> {
  const to = join(cacheDir(), "download", `kubectl-${versions.kubernetes}`);
  await download({ url, checksumUrl: `${url}.sha256`, to }, options);
  return to;
}

const sdkVersion = sdk.version;

/** Puts the Pulumi CLI into `root` (bin/pulumi and its companions). */
export type PulumiInstaller = (root: string) => Promise<void>;

/** Pulumi's own installer, as its Automation API offers it: the CLI of the SDK's own version. */
const pulumiInstaller: PulumiInstaller = async (root) => {
  const { PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
  await PulumiCommand.install({ root });
};

/**
 * Brings the Pulumi CLI and gives the path of `pulumi`; its language host lies beside it. An install
 * that breaks off leaves nothing under the final name.
 */
export async function officialPulumi(install: PulumiInstaller = pulumiInstaller): Promise<string> {
  const root = join(cacheDir(), "download", `pulumi-${sdkVersion}`);
  const program = join(root, "bin/pulumi");
  if (existsSync(program)) return program;
  const fresh = `${root}.${process.pid}.part`;
  mkdirSync(fresh, { recursive: true });
  try {
    await install(fresh);
    for (const name of ["pulumi", "pulumi-language-nodejs"]) {
      if (!existsSync(join(fresh, "bin", name))) {
        throw new Error(`Pulumi's installer ended without an error, but brought no ${name}`);
      }
    }
    renameSync(fresh, root);
  } catch (error) {
    throw new Error(
      `Pulumi ${sdkVersion} could not be installed from https://get.pulumi.com: ${(error as Error).message}\n` +
        "Try again, or install it yourself so that `pulumi version` works: https://www.pulumi.com/docs/install/",
      { cause: error },
    );
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return program;
}
