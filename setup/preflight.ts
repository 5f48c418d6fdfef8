/** What this machine must offer before anything is made: tools, free ports, memory and disk. */
import { existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { freemem } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { dockerLines } from "../steps/lib/docker.ts";
import { findProgram } from "./find-program.ts";

/** Memory that the four node containers with Vault were measured to take: 1.2 to 1.5 GiB; and what a pull or a start adds. */
export const needed = { memoryGiB: 2, diskGiB: 5 };

/** What was found; separate from the finding, so that every answer can be tried. */
export interface Findings {
  missingTools: string[];
  /** Ports of this machine that somebody else holds, as `setting -> port`. */
  busyPorts: { setting: string; port: number }[];
  dockerAnswers: boolean;
  freeMemoryGiB: number;
  freeDiskGiB: number;
  /** The cluster's containers run already: their memory is taken, their disk is used. */
  clusterRuns: boolean;
}

/** One message for each thing that is missing, with the way to mend it. Empty: go on. */
export function preflightProblems(found: Findings): string[] {
  const problems = found.missingTools.map(
    (tool) =>
      `${tool} is not on PATH.\n    eval "$(npm run -s env)"   (after npm run setup, which brings it)`,
  );
  if (!found.dockerAnswers && !found.missingTools.includes("docker"))
    problems.push(
      "No Docker engine answers.\n    docker info   (says why; npm run setup starts one on Debian)",
    );
  for (const { setting, port } of found.busyPorts)
    problems.push(
      `Port ${port} (${setting}) is in use on this machine.\n    pulumi config set ${setting} <a free port>`,
    );
  if (found.clusterRuns) return problems;
  if (found.freeMemoryGiB < needed.memoryGiB)
    problems.push(
      `${found.freeMemoryGiB.toFixed(1)} GiB of memory are free; the cluster with Vault needs ${needed.memoryGiB}.\n    pulumi config set vault.replicas 1   (a smaller cluster), or end other programs`,
    );
  if (found.freeDiskGiB < needed.diskGiB)
    problems.push(
      `${found.freeDiskGiB.toFixed(1)} GiB of disk are free; the node containers need ${needed.diskGiB}.\n    docker system df   (shows what Docker holds)`,
    );
  return problems;
}

/** Looks at the machine and throws one error that lists every problem. `namePrefix` tells our own cluster from others. */
export async function preflight(settings: Settings, namePrefix: string): Promise<void> {
  const problems = preflightProblems(await look(settings, namePrefix));
  if (problems.length === 0) return;
  throw new pulumi.RunError(`This machine is not ready; nothing was changed.\n  ${problems.join("\n  ")}`);
}

/** Where Docker keeps containers unless told otherwise. */
const dockerRoot = "/var/lib/docker";

async function look({ cluster }: Settings, namePrefix: string): Promise<Findings> {
  const running = await dockerLines(
    "ps",
    "--filter",
    "label=io.x-k8s.kind.role=control-plane",
    "--format",
    '{{.Label "io.x-k8s.kind.cluster"}} {{.Ports}}',
  ).catch(() => undefined);
  const own = (running ?? []).filter((line) => line.startsWith(`${namePrefix}-`));
  const busy = await Promise.all(
    Object.entries(cluster.ports).map(async ([name, port]) => {
      if (own.some((line) => publishes(line, port))) return [];
      return (await isFree(cluster.listenAddress, port)) ? [] : [{ setting: `cluster.ports.${name}`, port }];
    }),
  );
  const { bavail, bsize } = statfsSync(existsSync(dockerRoot) ? dockerRoot : ".");
  return {
    missingTools: ["docker", "kind"].filter((tool) => !findProgram(tool)),
    busyPorts: busy.flat(),
    dockerAnswers: running !== undefined,
    freeMemoryGiB: freemem() / 2 ** 30,
    freeDiskGiB: (bavail * bsize) / 2 ** 30,
    clusterRuns: own.length > 0,
  };
}

/** Whether Docker's list of ports names this one as the machine's. It folds neighbours: "127.0.0.1:30000-30001->30000-30001/tcp". */
export function publishes(dockerPorts: string, port: number): boolean {
  return [...dockerPorts.matchAll(/:(\d+)(?:-(\d+))?->/g)].some(
    ([, first, last = first]) => Number(first) <= port && port <= Number(last),
  );
}

/** Whether a server could listen there now. An address this machine does not have counts as free: Docker names it better. */
function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
