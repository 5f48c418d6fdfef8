import { docker, dockerLines } from "../steps/lib/docker.ts";
import { kubectl } from "./kubectl.ts";
import { clusterNames } from "./leftovers.ts";
import { poll } from "./processes.ts";
import type { Resource, Stack } from "./stack.ts";

/** Longest wait for Vault's pods after their nodes were started. Then the update goes on, and says what is wrong. */
const LIMIT_MS = 180_000;

/**
 * Starts the nodes of the stack's cluster where they are stopped, as after a restart of the machine, and waits until
 * Kubernetes has started Vault's pods on them again. They are sealed then; the update unseals them.
 */
export async function wakeCluster(
  stack: Stack,
  resources: Resource[],
  say: (line: string) => void,
): Promise<void> {
  for (const cluster of clusterNames(resources, stack.name)) {
    const filters = [`label=io.x-k8s.kind.cluster=${cluster}`, "status=exited", "status=created"];
    const filter = filters.flatMap((each) => ["--filter", each]);
    const stopped = await dockerLines("ps", "--all", ...filter, "--format", "{{.Names}}");
    if (stopped.length === 0) continue;
    say(`starting the nodes of ${cluster} that are stopped: ${stopped.join(", ")}`);
    const began = new Date();
    await docker("start", ...stopped);
    say((await podsStarted(stack, stopped, began)) ?? "Vault's pods run again");
  }
}

/** Waits; gives what was seen last where the limit was reached before all of them ran. */
async function podsStarted(stack: Stack, nodes: string[], since: Date): Promise<string | undefined> {
  const columns = "{.spec.nodeName} {.metadata.name} {.status.containerStatuses[*].state.running.startedAt}";
  const ask = [
    "--request-timeout=5s",
    ...["get", "pods", "--all-namespaces", "--selector", "app.kubernetes.io/name=vault,component=server"],
    ...["--output", `jsonpath={range .items[*]}${columns}{"\\n"}{end}`],
  ];
  let seen: string | undefined;
  await poll(
    async () => {
      const { failed, stdout, stderr } = await kubectl(stack, ask);
      const waiting = failed ? [] : notStarted(stdout, nodes, since);
      if (failed) seen = `the Kubernetes API did not answer: ${stderr}`;
      else seen = waiting.length > 0 ? `not started again yet: ${waiting.join(", ")}` : undefined;
      return seen === undefined ? true : undefined;
    },
    { forMs: LIMIT_MS, everyMs: 500 },
  );
  return seen;
}

/**
 * The pods of these nodes that have not been started since then. Until a kubelet has looked, Kubernetes still tells
 * of the containers that ran before, so an older one counts as not started.
 * @param pods a line for each: node, pod, and the times at which its running containers were started
 */
export function notStarted(pods: string, nodes: string[], since: Date): string[] {
  return pods
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([node = "", , ...times]) => {
      const started = times.filter(Boolean).map((time) => new Date(time));
      // Kubernetes tells times in whole seconds.
      const old = started.some((time) => time.getTime() < Math.floor(since.getTime() / 1000) * 1000);
      return nodes.includes(node) && (started.length === 0 || old);
    })
    .map(([, pod = ""]) => pod);
}
