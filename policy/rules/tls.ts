import { isMap, valueAt } from "../../components/values-file.ts";
import { finding, isDevelopment, type Rule } from "../rule.ts";

/** Outside dev Vault speaks HTTPS. */
export const tls: Rule = {
  name: "tls",
  says: "Outside dev Vault speaks HTTPS: without it tokens and secrets cross the network as they are.",
  of: ["vault-release"],
  find: ({ props }, stack) => {
    if (!isMap(props.values) || isDevelopment(stack.name)) return [];
    // The chart's own default is true.
    if (valueAt(props.values, "global.tlsDisable") === false) return [];
    const mend = `pulumi config set vault.tls.enabled true --stack ${stack.name}`;
    return [finding("Its TLS is off (vault.tls.enabled).", mend)];
  },
};
