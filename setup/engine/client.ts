import { execa } from "execa";

/** How long an engine may take to say its version. A busy one takes a few seconds. */
const ANSWER_MS = 10_000;

/** Runs the docker client; `host` names an engine other than the one it would take by itself. */
async function docker(args: string[], host?: string) {
  const env = host ? { DOCKER_HOST: host } : {};
  return await execa("docker", args, { env, reject: false, timeout: ANSWER_MS, stdin: "ignore" });
}

/** Version of the engine that answers; undefined if there is no client, or none answers. */
export async function engineVersion(host?: string): Promise<string | undefined> {
  const { stdout, failed } = await docker(["version", "--format", "{{.Server.Version}}"], host);
  return failed ? undefined : stdout.trim() || undefined;
}

/** Names of the running containers. */
export async function runningContainers(host?: string): Promise<string[]> {
  const { stdout, stderr, failed } = await docker(["ps", "--format", "{{.Names}}"], host);
  if (failed) throw new Error(`docker ps: ${stderr.trim()}`);
  return stdout.split("\n").filter(Boolean);
}

/**
 * The engine that the user chose in place of the machine's own, as DOCKER_HOST or a docker context;
 * undefined where neither is set. No engine of ours can stand in for that one.
 */
export async function chosenEngine(env = process.env): Promise<string | undefined> {
  if (env.DOCKER_HOST) return `DOCKER_HOST=${env.DOCKER_HOST}`;
  const { stdout, failed } = await docker(["context", "show"]);
  const context = stdout.trim();
  return failed || context === "" || context === "default" ? undefined : `docker context "${context}"`;
}
