/** What killed test runs left behind: clusters and stacks that carry the number of a process that is gone. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { checkout, local } from "../../setup/folders.ts";

/** A cluster of the tests: vault-ha-dev-test-<process>-<suffix>, see makeTestStack; or one outside any stack. */
const clusterName = /^vault-ha-(?:dev-)?test-(\d+)-/;
/** A stack of the tests, in the names of its files. */
const stackName = /^(?:Pulumi\.)?dev-test-(\d+)(?:[.-]|$)/;

/** Removes what dead test runs left in Docker and in this checkout; gives one line for each thing. */
export async function sweepDeadRuns(): Promise<string[]> {
  const lines = await sweepDocker();
  const places = [checkout, local.stacks, join(local.state, ".pulumi/stacks/vault-ha")];
  for (const place of places.filter((each) => existsSync(each))) {
    for (const name of readdirSync(place).filter((each) => isDead(stackName.exec(each)))) {
      rmSync(join(place, name), { recursive: true, force: true });
      lines.push(`removed ${join(place, name)}, of a test run that is gone`);
    }
  }
  return lines;
}

async function sweepDocker(): Promise<string[]> {
  const lines: string[] = [];
  const label = "io.x-k8s.kind.cluster";
  const containers = await docker([
    "ps",
    "--all",
    "--filter",
    `label=${label}`,
    "--format",
    `{{.Names}} {{.Label "${label}"}}`,
  ]);
  for (const [container = "", cluster = ""] of containers.map((line) => line.split(" "))) {
    if (!isDead(clusterName.exec(cluster))) continue;
    await docker(["rm", "--force", "--volumes", container]);
    lines.push(`removed the container ${container}, of a test run that is gone`);
  }
  for (const network of await docker(["network", "ls", "--format", "{{.Name}}"])) {
    if (!isDead(clusterName.exec(network))) continue;
    await docker(["network", "rm", network]);
    lines.push(`removed the network ${network}, of a test run that is gone`);
  }
  return lines;
}

async function docker(args: string[]): Promise<string[]> {
  const { stdout } = await execa("docker", args, { stdin: "ignore", timeout: 60_000 });
  return stdout.split("\n").filter(Boolean);
}

/** Whether the process that a name carries is gone, or is neither a test run nor a benchmark by now. */
function isDead(name: RegExpExecArray | null): boolean {
  if (!name?.[1]) return false;
  try {
    return !/mocha|bench/.test(readFileSync(`/proc/${name[1]}/cmdline`, "utf8"));
  } catch {
    return true;
  }
}
