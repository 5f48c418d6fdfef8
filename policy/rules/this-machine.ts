import { isIPv4, isIPv6 } from "node:net";
import { parse } from "yaml";
import { kindConfig } from "../../components/kind-config.ts";
import { finding, type Resource, type Rule, type Stack } from "../rule.ts";

/** The part of kind's configuration that says where it listens. */
interface Listening {
  networking?: { apiServerAddress?: string };
  nodes?: { extraPortMappings?: { containerPort: number; listenAddress?: string }[] }[];
}

/** No port of a kind cluster is open on every address of the machine. */
export const thisMachine: Rule = {
  name: "this-machine",
  says: "The ports of a kind cluster are for this machine: on every address they are open to its networks, and Docker lets them past the machine's firewall.",
  of: ["cluster-create"],
  find: (resource, stack) => {
    const config = configOf(resource, stack);
    if (config === undefined) return [];
    const { networking, nodes = [] }: Listening = parse(config);
    const mend = `pulumi config set cluster.listenAddress 127.0.0.1 --stack ${stack.name}`;
    const mapped = nodes
      .flatMap(({ extraPortMappings = [] }) => extraPortMappings)
      // kind's own default is every address.
      .map(({ containerPort, listenAddress = "0.0.0.0" }) => ({ containerPort, listenAddress }))
      .filter(({ listenAddress }) => isEverywhere(listenAddress));
    const [first] = mapped;
    const ports = mapped.map(({ containerPort }) => containerPort).join(", ");
    const server = networking?.apiServerAddress;
    return [
      ...(first
        ? [finding(`Its ports ${ports} are mapped on ${first.listenAddress} (cluster.listenAddress).`, mend)]
        : []),
      ...(server !== undefined && isEverywhere(server)
        ? [finding(`The Kubernetes API listens on ${server}.`, "git checkout components/kind-config.ts")]
        : []),
    ];
  },
};

/** The kind configuration in the step's input or, where that is not known yet, the one that the settings stand for. */
function configOf({ props }: Resource, { settings }: Stack): string | undefined {
  if (typeof props.stdin === "string") return (JSON.parse(props.stdin) as { config: string }).config;
  return settings && kindConfig(settings);
}

/** The address that stands for all: 0.0.0.0, or :: in any of its spellings. Empty counts as all, as for Docker. */
function isEverywhere(address: string): boolean {
  if (isIPv4(address)) return address === "0.0.0.0";
  if (isIPv6(address)) return /^[0:]+$/.test(address) || /^[0:]+:ffff:(0\.0\.0\.0|0+:0+)$/i.test(address);
  return address === "";
}
