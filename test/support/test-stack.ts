/** A stack of its own for the cluster tests: own name, own free ports, own files; gone when they end. */
import { existsSync, rmSync } from "node:fs";
import {
  type EngineEvent,
  LocalWorkspace,
  type OutputMap,
  type Stack,
} from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import { freePorts } from "./free-ports.ts";

export interface TestStack {
  name: string;
  stack: Stack;
  stackDir: string;
  ports: { http: number; https: number; vault: number };
  /** The stack that `pulumi` worked on by hand before; it does so again afterwards. */
  selectedBefore: string | undefined;
}

/** Makes the stack, not yet anything in it. One process may have several, each with another end of its name. */
export async function makeTestStack(config: Record<string, string> = {}, end = ""): Promise<TestStack> {
  // A stack for development, which the policy pack lets be without TLS.
  const name = `dev-test-${process.pid}${end}`;
  const workspace = await LocalWorkspace.create({ workDir: checkout });
  const selectedBefore = (await workspace.stack())?.name;
  const stack = await LocalWorkspace.createOrSelectStack({ stackName: name, workDir: checkout });
  const [http, https, vault, spare] = await freePorts(4);
  const settings = {
    // Nothing of this machine leads into a cluster that exists.
    ...(config["cluster.driver"] !== "existing" && {
      "cluster.ports.http": http,
      "cluster.ports.https": https,
      "cluster.ports.vault": vault,
      "cluster.ports.spare": spare,
    }),
    // A new leader after 1 to 3 s instead of 5 to 15, so that the tests wait less.
    "raft.performanceMultiplier": "1",
    ...config,
  };
  await stack.setAllConfig(
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, { value: `${value}` }])),
  );
  return {
    name,
    stack,
    stackDir: `${checkout}/.local/stacks/${name}`,
    ports: { http: http as number, https: https as number, vault: vault as number },
    selectedBefore,
  };
}

/** Removes the stack itself; what it made has to be destroyed before. */
export async function removeTestStack({ name, stack, selectedBefore }: TestStack): Promise<void> {
  await stack.workspace.removeStack(name);
  if (selectedBefore !== undefined) await stack.workspace.selectStack(selectedBefore);
  const file = `${checkout}/Pulumi.${name}.yaml`;
  if (existsSync(file)) rmSync(file);
}

/** What a preview proposes, as `operation name`, without what stays the same. */
export async function proposals(stack: Stack): Promise<string[]> {
  const proposed: string[] = [];
  await stack.preview({
    onEvent: ({ resourcePreEvent }: EngineEvent) => {
      const { op, urn } = resourcePreEvent?.metadata ?? {};
      if (op && op !== "same") proposed.push(`${op} ${urn?.split("::").at(-1)}`);
    },
  });
  return proposed.sort();
}

/** Everything Docker holds whose name begins as given. */
export async function dockerLeftovers(prefix: string): Promise<string[]> {
  const lists = [
    ["ps", "--all", "--format", "{{.Names}}"],
    ["network", "ls", "--format", "{{.Name}}"],
  ];
  const names = await Promise.all(
    lists.map(async (args) => (await execa("docker", args)).stdout.split("\n")),
  );
  return names.flat().filter((name) => name.startsWith(prefix));
}

/** Names of Docker's volumes that containers have whose name begins as given. */
export async function volumesOf(prefix: string): Promise<string[]> {
  const list = ["ps", "--all", "--quiet", "--filter", `name=^${prefix}`];
  const containers = (await execa("docker", list)).stdout.split("\n").filter(Boolean);
  const names = "{{range .Mounts}}{{if .Name}}{{println .Name}}{{end}}{{end}}";
  const { stdout } = await execa("docker", ["inspect", "--format", names, ...containers]);
  return stdout.split("\n").filter(Boolean);
}

/** Names of all of Docker's volumes. */
export async function dockerVolumes(): Promise<string[]> {
  return (await execa("docker", ["volume", "ls", "--quiet"])).stdout.split("\n").filter(Boolean).sort();
}

export const secretOf = (outputs: OutputMap, name: string) => {
  const output = outputs[name];
  if (!output?.secret) throw new Error(`output ${name} is not a secret`);
  return output.value;
};
