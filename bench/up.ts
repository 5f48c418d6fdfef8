/** The figures of a stack: raised, previewed and taken down, beside what each is held against. */
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { kindConfig } from "../components/kind-config.ts";
import { readSettings, type Settings } from "../config.ts";
import { loadSources } from "../sources.ts";
import { makeTestStack, removeTestStack, type TestStack } from "../test/support/test-stack.ts";
import { type Figure, seconds } from "./timing.ts";
import { followTutorial, kubectl, releasedObjects } from "./tutorial.ts";

type Say = (line: string) => void;

/** Takes all figures, `rounds` times, in one run. */
export async function benchStack(rounds: number, say: Say): Promise<Figure[]> {
  const taken: Record<string, number[]> = {};
  const take = (name: string, value: number) => {
    taken[name] = [...(taken[name] ?? []), value];
    say(`  ${name}: ${value.toFixed(2)}`);
    return value;
  };
  // Vault's own and the default, as a stack has it whose user sets nothing. HTTP, as in `dev` and in the tutorial.
  const test = await makeTestStack({ "raft.performanceMultiplier": "5", "vault.tls.enabled": "false" });
  const { stack } = test;
  try {
    for (let round = 1; round <= rounds; round += 1) {
      say(`round ${round} of ${rounds}`);
      const kind = take("kind create cluster", await kindAlone(test));
      const up = take("up", await seconds(() => stack.up()));
      take("up ÷ kind", up / kind);
      take("memory", await nodeMemory(`vault-ha-${test.name}`));
      const preview = take("preview", await seconds(() => stack.preview()));
      const empty = take("empty preview", await emptyPreview());
      take("preview ÷ empty", preview / empty);
      const { ours, tutorial } = await vaultPart(test);
      take("Vault part", ours);
      take("tutorial", tutorial);
      take("Vault part ÷ tutorial", ours / tutorial);
      take("destroy", await seconds(() => stack.destroy()));
      await stack.setConfig("vault.tls.enabled", { value: "true" });
      const withTls = take("up with TLS", await seconds(() => stack.up()));
      take("up with TLS ÷ up", withTls / up);
      await stack.destroy();
      await stack.setConfig("vault.tls.enabled", { value: "false" });
    }
  } finally {
    await stack.destroy();
    await removeTestStack(test);
  }
  const figure = (what: string, name: string, unit: Figure["unit"], bar?: number): Figure => ({
    what,
    values: taken[name] as number[],
    unit,
    ...(bar !== undefined && { bar }),
  });
  return [
    figure("`kind create cluster` alone", "kind create cluster", "s"),
    figure("`up` to a verified write", "up", "s"),
    figure("`up` ÷ `kind create cluster`", "up ÷ kind", "ratio", 2.2),
    figure("Vault part on a ready cluster, release to a verified write", "Vault part", "s"),
    figure("the tutorial's commands on the same cluster", "tutorial", "s"),
    figure("Vault part ÷ tutorial", "Vault part ÷ tutorial", "ratio", 0.7),
    figure("preview with nothing changed", "preview", "s"),
    figure("preview of an empty program, as `pulumi new` makes it", "empty preview", "s"),
    figure("preview ÷ empty preview", "preview ÷ empty", "ratio", 2.5),
    figure("destroy", "destroy", "s", 20),
    figure("`up` with TLS, to a verified write", "up with TLS", "s"),
    figure("`up` with TLS ÷ `up`", "up with TLS ÷ up", "ratio", 1.1),
    figure("memory of all node containers after `up`", "memory", "MiB"),
  ];
}

/** The same cluster by kind alone, taken down again. */
async function kindAlone(test: TestStack): Promise<number> {
  const name = `vault-ha-${test.name}-alone`;
  const folder = await mkdtemp(join(tmpdir(), "vault-ha-bench-"));
  const options = { env: { KIND_EXPERIMENTAL_DOCKER_NETWORK: name, KUBECONFIG: join(folder, "kubeconfig") } };
  const given = Object.fromEntries(
    Object.entries(await test.stack.getAllConfig()).map(([key, { value }]) => [
      key.replace(/^vault-ha:/, ""),
      value,
    ]),
  );
  const config = kindConfig(readSettings(given).settings as Settings, loadSources().nodeImage);
  try {
    return await seconds(() =>
      execa("kind", ["create", "cluster", "--name", name, "--config", "-"], { ...options, input: config }),
    );
  } finally {
    await execa("kind", ["delete", "cluster", "--name", name], options);
    await execa("docker", ["network", "rm", name]);
    await rm(folder, { recursive: true });
  }
}

/** Sum over the cluster's node containers, in MiB. */
async function nodeMemory(prefix: string): Promise<number> {
  const { stdout } = await execa("docker", ["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"]);
  const units: Record<string, number> = { KiB: 1 / 1024, MiB: 1, GiB: 1024 };
  return stdout
    .split("\n")
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.match(/ ([\d.]+)(KiB|MiB|GiB) \//))
    .reduce((sum, match) => sum + Number(match?.[1]) * (units[match?.[2] ?? ""] ?? Number.NaN), 0);
}

/** Preview of the program that `pulumi new typescript` begins with, which loads Pulumi's SDK and declares nothing. */
async function emptyPreview(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "vault-ha-empty-"));
  try {
    await writeFile(
      join(folder, "Pulumi.yaml"),
      "name: empty\nmain: index.js\nruntime: {name: nodejs, options: {typescript: false}}\n",
    );
    await writeFile(
      join(folder, "package.json"),
      '{"name": "empty", "type": "module", "dependencies": {"@pulumi/pulumi": "*"}}',
    );
    await writeFile(join(folder, "index.js"), 'import * as pulumi from "@pulumi/pulumi";\n');
    await execa("ln", ["-s", join(process.cwd(), "node_modules"), join(folder, "node_modules")]);
    const stack = await LocalWorkspace.createOrSelectStack({
      stackName: `empty-${process.pid}`,
      workDir: folder,
    });
    const took = await seconds(() => stack.preview());
    await stack.workspace.removeStack(`empty-${process.pid}`);
    return took;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Takes Vault off the ready cluster and puts it back: by the tutorial first, then by our program, which stays. */
async function vaultPart({ stack, stackDir }: TestStack): Promise<{ ours: number; tutorial: number }> {
  const run = kubectl(join(stackDir, "kubeconfig"), "vault");
  const objects = await releasedObjects(run);
  await removeVault(stack, stackDir);
  const tutorial = await seconds(() => followTutorial(run, "vault", objects));
  await run(["delete", "namespace", "vault"]);
  await run(["delete", "clusterrolebinding", "vault-server-binding"]);
  const ours = await seconds(() => stack.up());
  return { ours, tutorial };
}

/** The namespace goes with its volumes, so the keys file describes nothing any more. */
async function removeVault(stack: Stack, stackDir: string): Promise<void> {
  const { deployment } = await stack.exportStack();
  const urns = (deployment.resources as { urn: string }[]).map(({ urn }) => urn);
  const target = urns.filter((urn) => /::(vault|vault-(release|namespace)|lifecycle(-[^:]*)?)$/.test(urn));
  await stack.destroy({ target, targetDependents: true });
  rmSync(join(stackDir, "vault-init.json"), { force: true });
}
