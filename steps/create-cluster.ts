import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { z } from "zod";
import {
  ClusterInput,
  type ClusterNode,
  clusterNodes,
  controlPlane,
  fingerprint,
  kubeconfigPath,
  removeCluster,
  removeTemporaries,
} from "./lib/cluster.ts";
import { docker } from "./lib/docker.ts";
import { StepError, words } from "./lib/errors.ts";
import { runStep, type Step } from "./lib/io.ts";
import { keysPath } from "./lib/keys-file.ts";
import { runTied } from "./lib/tied-child.ts";

const run = promisify(execFile);

/** Written into the control-plane's container when everything stands: a cluster without it is half-made. */
const markPath = "/kind/vault-ha-made-from";

/** What the mark says: the configuration, and the nodes that stood. */
const Mark = z.object({ fingerprint: z.string(), nodes: z.array(z.string()) });

/** Makes a Kubernetes cluster with kind. A whole one of the same name and configuration is taken as it is. */
await runStep("create-cluster", ClusterInput, async (input, step) => {
  const { name, stackDir } = input;
  await mkdir(stackDir, { recursive: true, mode: 0o700 });
  await chmod(stackDir, 0o700);
  await removeTemporaries(stackDir);
  const why = await whyAnew(input, await clusterNodes(name), step);
  if (why !== undefined) {
    if (why !== "") {
      refuseToLoseKeys(input, why);
      step.say(`${why}: it is deleted and made anew`);
      await removeCluster(input);
    }
    await make(input, step);
  }
  const { config, instance } = await accessTo(name);
  await writeKubeconfig(stackDir, config);
  return { kubeconfig: config, instance };
});

/** Why the cluster has to be made: "" where there is none; undefined where it is whole. */
async function whyAnew(input: ClusterInput, nodes: ClusterNode[], step: Step): Promise<string | undefined> {
  const { name } = input;
  if (nodes.length === 0) return "";
  const stopped = nodes.filter(({ running }) => !running);
  if (stopped.length > 0) {
    // It may hold data: a machine that was switched off leaves its nodes stopped.
    step.say(`starting ${stopped.length} stopped node(s) of ${name}`);
    await docker("start", ...stopped.map(({ id }) => id)).catch((error) => step.say(words(error)));
  }
  const text = await docker("exec", controlPlane(name), "cat", markPath).catch(() => undefined);
  const mark = text === undefined ? undefined : Mark.safeParse(JSON.parse(text)).data;
  if (mark === undefined) return `cluster ${name} is there, but half-made (${nodes.length} node(s))`;
  if (mark.fingerprint !== fingerprint(input)) return `cluster ${name} was made from another configuration`;
  const lost = mark.nodes.filter((node) => !nodes.some(({ name }) => name === node));
  if (lost.length > 0) return `cluster ${name} has lost ${lost.join(", ")}`;
  step.say(`cluster ${name} stands already: ${nodes.length} nodes`);
  return undefined;
}

/** Keys in the stack's folder mean that a Vault was initialised: its data may be in that cluster. */
function refuseToLoseKeys({ name, stackDir }: ClusterInput, why: string): void {
  if (!existsSync(keysPath(stackDir))) return;
  throw new StepError(
    `${why}, and ${keysPath(stackDir)} has the keys of a Vault that may be in it. It is not deleted for you. Where its nodes can be mended, mend them; else delete it, and its Vault, yourself and run again`,
    `docker ps --all --filter label=io.x-k8s.kind.cluster=${name}`,
  );
}

async function make(input: ClusterInput, step: Step): Promise<void> {
  const { name, timeoutSeconds } = input;
  const limit = AbortSignal.timeout(Math.max(step.deadline - Date.now(), 1));
  const lines: string[] = [];
  try {
    const code = await kindCreate(input, AbortSignal.any([step.signal, limit]), (line) => {
      if (!isNoise(line)) lines.push(line);
      if (isProgress(line)) step.say(line.trim());
    });
    step.signal.throwIfAborted();
    if (limit.aborted) throw new Error(`kind did not end within ${timeoutSeconds} s`);
    if (code === 127) throw new StepError("kind is not on PATH", 'eval "$(npm run -s env)"');
    if (code !== 0) throw new Error(`kind ended with exit code ${code}: ${heart(lines)}`);
    const nodes = (await clusterNodes(name)).map(({ name }) => name);
    const mark: z.output<typeof Mark> = { fingerprint: fingerprint(input), nodes };
    const write = `cat >${markPath} <<'mark'\n${JSON.stringify(mark)}\nmark`;
    await docker("exec", controlPlane(name), "sh", "-c", write);
    step.say(`cluster ${name} stands: ${nodes.length} nodes`);
  } catch (error) {
    if (!step.signal.aborted) for (const line of lines) step.say(`kind says: ${line}`);
    const gone = await removeCluster(input).then(
      () => "nothing of it is left",
      (error) => `it could not be removed (${words(error)}); the next run removes it first`,
    );
    step.say(`cluster ${name} was not finished; ${gone}`);
    if (error instanceof StepError) throw error;
    throw new StepError(`cluster ${name} could not be made: ${words(error)}`, "pulumi up");
  }
}

function kindCreate(
  input: ClusterInput,
  signal: AbortSignal,
  line: (text: string) => void,
): Promise<number | null> {
  const { name, config, network, nodeImage, stackDir } = input;
  return runTied({
    command: "kind",
    args: [
      ...["create", "cluster", "--name", name, "--config", "-"],
      // kind must not touch the user's own kubeconfig.
      ...["--kubeconfig", `${kubeconfigPath(stackDir)}.tmp-${process.pid}`],
      // On failure this step removes what is half-made, after it has shown why; kind would take it by name only.
      ...["--retain", "--wait", "0s"],
      ...(nodeImage === undefined ? [] : ["--image", nodeImage]),
    ],
    input: config,
    env: { ...process.env, KIND_EXPERIMENTAL_DOCKER_NETWORK: network, KIND_EXPERIMENTAL_PROVIDER: "docker" },
    line,
    signal,
  });
}

/** kind's lines on its actions: " • Starting control-plane ..." and " ✓ Starting control-plane". */
function isProgress(line: string): boolean {
  return /^\s*[•✓✗]/u.test(line);
}

/** Blank lines, and warnings of what this step asks for itself (a network of its own, Docker). */
function isNoise(line: string): boolean {
  return (
    line.trim() === "" || /Overriding docker network|Here be dragons|KIND_EXPERIMENTAL_PROVIDER/.test(line)
  );
}

/** The line that says why: Docker's own words, else kind's error. */
function heart(lines: readonly string[]): string {
  const line = lines.find((line) => line.includes("Error response from daemon")) ?? lines.findLast(isError);
  return line?.trim() ?? "it said nothing";
}

function isError(line: string): boolean {
  return line.startsWith("ERROR");
}

/** The administrator's kubeconfig, and the control-plane's container, which stands for this very cluster. */
async function accessTo(name: string): Promise<{ config: string; instance: string }> {
  const instance = await docker("inspect", "--format", "{{.Id}}", controlPlane(name));
  const config = await kubeconfigOf(name);
  return { config, instance };
}

async function kubeconfigOf(name: string): Promise<string> {
  const env = { ...process.env, KIND_EXPERIMENTAL_PROVIDER: "docker" };
  try {
    return (await run("kind", ["get", "kubeconfig", "--name", name], { env, timeout: 60_000 })).stdout;
  } catch (error) {
    throw new StepError(`kind get kubeconfig --name ${name} failed: ${words(error)}`);
  }
}

async function writeKubeconfig(stackDir: string, config: string): Promise<void> {
  const path = kubeconfigPath(stackDir);
  const temporary = `${path}.tmp-${process.pid}`;
  await writeFile(temporary, config, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
