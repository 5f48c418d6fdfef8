import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";
import type { Log } from "../offline/lib/part.ts";
import { run } from "../offline/lib/run.ts";
import { findProgram } from "./find-program.ts";

/** A Debian package, and a program of it that shows whether it is there. */
export interface DebianPackage {
  name: string;
  program: string;
}

/** Whether this is Debian, or something made from it, and we may install packages. */
export function canInstallPackages(osRelease = "/etc/os-release", uid = process.getuid?.()): boolean {
  if (uid !== 0 || !existsSync(osRelease)) return false;
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync(osRelease, "utf8"));
}

/** Which of the packages are not there. */
export function missingPackages(packages: readonly DebianPackage[]): string[] {
  return packages.filter(({ program }) => !findProgram(program)).map(({ name }) => name);
}

/**
 * Installs Debian packages, without starting their services. First finishes what a killed run of dpkg
 * left half-installed; waits for another apt. Throws with apt's last lines.
 */
export async function installPackages(names: string[], log: Log): Promise<void> {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    // invoke-rc.d(8) starts no service in the runlevel of a machine that is being repaired.
    RUNLEVEL: "1",
  };
  const options = { env, timeoutSeconds: 900 };
  const wait = ["-o", "DPkg::Lock::Timeout=120"];
  const { stdout: audit } = await execa("dpkg", ["--audit"], { reject: false });
  if (audit.trim()) await run(log, "dpkg", ["--configure", "-a", "--force-confdef"], options);
  await run(log, "apt-get", [...wait, "update", "-qq"], options);
  await run(log, "apt-get", [...wait, "install", "-y", "-qq", "--no-install-recommends", ...names], options);
}
