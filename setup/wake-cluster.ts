import { join } from "node:path";
import { execa } from "execa";
import { docker, dockerLines } from "../steps/lib/docker.ts";
import { CommandError } from "./command.ts";
import { local } from "./folders.ts";
import { clusterNames } from "./leftovers.ts";
import { poll } from "./processes.ts";
import type { Stack } from "./stack.ts";

/** Longest wait for the Kubernetes API after its node was started; two slow cores take half a minute. */
const API_MS = 180_000;

/**
 * Starts the nodes of the stack's cluster where they are stopped, as after a restart of the machine, and waits until
 * the Kubernetes API answers. Vault's pods are sealed then; the update unseals them.
 */
export async function wakeCluster(stack: Stack, say: (line: string) => void): Promise<void> {
  for (const cluster of clusterNames(await stack.export(), stack.name)) {
    const filters = [`label=io.x-k8s.kind.cluster=${cluster}`, "status=exited", "status=created"];
    const filter = filters.flatMap((each) => ["--filter", each]);
    const stopped = await dockerLines("ps", "--all", ...filter, "--format", "{{.Names}}");
    if (stopped.length === 0) continue;
    say(`starting the nodes of ${cluster} that are stopped: ${stopped.join(", ")}`);
    await docker("start", ...stopped);
    await apiOf(stack, cluster);
  }
}

async function apiOf(stack: Stack, cluster: string): Promise<void> {
  const kubeconfig = join(local.stacks, stack.name, "kubeconfig");
  const ask = ["--kubeconfig", kubeconfig, "--request-timeout=5s", "get", "--raw", "/readyz"];
  let words = "";
  const ready = await poll(
    async () => {
      const { failed, stderr } = await execa("kubectl", ask, {
        env: stack.env,
        reject: false,
        stdin: "ignore",
      });
      words = stderr;
      return failed ? undefined : true;
    },
    { forMs: API_MS, everyMs: 500 },
  );
  if (ready) return;
  throw new CommandError(
    `The nodes of ${cluster} were started, but its Kubernetes API did not answer within ${API_MS / 1000} s: ${words}\n` +
      `What the node says: docker logs ${cluster}-control-plane`,
  );
}
