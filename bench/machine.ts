import { existsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { execa } from "execa";

/** One line about the machine that the figures were taken on. */
export async function machine(): Promise<string> {
  const { stdout: docker } = await execa("docker", ["version", "--format", "{{.Server.Version}}"]);
  const cgroup = existsSync("/sys/fs/cgroup/cgroup.controllers") ? "v2" : "v1";
  const [cpu] = cpus();
  return `${cpus().length} cores (${cpu?.model.trim() || "unnamed"}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split("-")[0]}, cgroup ${cgroup}, Docker ${docker}`;
}
