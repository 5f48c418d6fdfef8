import { isMap, valueAt } from "../../components/values-file.ts";
import { finding, type Rule } from "../rule.ts";

/** An odd number of Vault's nodes. */
export const oddReplicas: Rule = {
  name: "odd-replicas",
  says: "Vault has an odd number of nodes: one more makes it even, and bears no more failures than before.",
  of: ["vault-release"],
  find: ({ props }, stack) => {
    if (!isMap(props.values)) return [];
    const replicas = valueAt(props.values, "server.ha.replicas");
    if (typeof replicas !== "number" || replicas % 2 === 1) return [];
    const mend = `pulumi config set vault.replicas ${replicas + 1} --stack ${stack.name}`;
    return [finding(`It has ${replicas} (server.ha.replicas).`, mend)];
  },
};
