/** Why a kind cluster is another one. Its configuration is a secret input, so a preview shows no more than a hash. */
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { kindConfig, spareNodePort, vaultNodePort } from "../../components/kind-config.ts";
import type { Settings } from "../../config.ts";
import type { Stack } from "../../setup/stack.ts";
import { cause } from "./consequence.ts";

const Stdin = z.object({ plaintext: z.string() });
const Input = z.object({ config: z.string() });

/** Compares the configuration in the stack's state with the one that the settings stand for. */
export async function clusterCauses(
  stack: Stack,
  settings: Pick<Settings, "cluster">,
  nodeImage: string | undefined,
): Promise<string[]> {
  const resources = await stack.resources({ showSecrets: true });
  const made = resources.find(({ urn }) => urn.endsWith("::cluster-create"));
  const stdin = Stdin.safeParse(made?.inputs?.stdin).data?.plaintext;
  // A text in a text: Pulumi's, and the step's own.
  const input = Input.safeParse(stdin && JSON.parse(JSON.parse(stdin))).data;
  return input === undefined ? [] : configDifferences(input.config, kindConfig(settings, nodeImage));
}

const Config = z.looseObject({
  nodes: z.array(
    z.looseObject({
      role: z.string(),
      image: z.string().optional(),
      extraPortMappings: z
        .array(z.looseObject({ containerPort: z.number(), hostPort: z.number(), listenAddress: z.string() }))
        .optional(),
    }),
  ),
});

const ports: Record<number, string> = {
  80: "cluster.ports.http",
  443: "cluster.ports.https",
  [vaultNodePort]: "cluster.ports.vault",
  [spareNodePort]: "cluster.ports.spare",
};

/** How two configurations of kind differ, by the settings that make them so. */
export function configDifferences(from: string, to: string): string[] {
  const [before, after] = [from, to].map((text) => Config.parse(parse(text))) as [Config, Config];
  const found: string[] = [];
  const compare = (what: string, one: unknown, other: unknown) => {
    if (one !== other) found.push(cause(what, one, other));
  };
  const mappings = ({ nodes }: Config) => nodes[0]?.extraPortMappings ?? [];
  for (const { containerPort, hostPort } of mappings(after)) {
    const was = mappings(before).find((each) => each.containerPort === containerPort);
    compare(ports[containerPort] ?? `port ${containerPort}`, was?.hostPort, hostPort);
  }
  compare("cluster.listenAddress", mappings(before)[0]?.listenAddress, mappings(after)[0]?.listenAddress);
  const workers = ({ nodes }: Config) => nodes.filter(({ role }) => role === "worker").length;
  compare("cluster.workers, which follows vault.replicas unless set", workers(before), workers(after));
  compare("kind's node image", before.nodes[0]?.image, after.nodes[0]?.image);
  if (found.length === 0 && !isDeepStrictEqual(before, after))
    found.push("the configuration of the kind cluster");
  return found;
}

type Config = z.output<typeof Config>;
