import { isMap, valueAt } from "../../components/values-file.ts";
import { finding, isDevelopment, type Rule } from "../rule.ts";

const policyKey = "server.persistentVolumeClaimRetentionPolicy";

/**
 * Outside dev the volumes of a Vault on a cluster that exists outlive destroy and scaling. A kind cluster takes them
 * with it, whatever anybody says. Pulumi does not show a policy retainOnDelete, so the setting that decides it is read.
 */
export const retainedData: Rule = {
  name: "retained-data",
  says: "Outside dev Vault's volumes outlive the stack on a cluster that exists: a destroy by mistake must not take the data along.",
  of: ["vault-namespace", "vault-release"],
  find: ({ name, props }, stack) => {
    const { settings } = stack;
    if (settings?.cluster.existing === undefined || isDevelopment(stack.name)) return [];
    if (name === "vault-namespace" && !settings.teardown.retainData)
      return [
        finding(
          `Destroy takes the namespace ${settings.vault.namespace} with all volumes, and Vault's keys (teardown.retainData).`,
          `pulumi config set teardown.retainData true --stack ${stack.name}`,
        ),
      ];
    if (!isMap(props.values)) return [];
    const values = props.values;
    return ["whenDeleted", "whenScaled"]
      .map((when) => `${policyKey}.${when}`)
      .filter((key) => valueAt(values, key) === "Delete")
      .map((key) =>
        finding(
          `Kubernetes deletes volumes by itself (${key} is Delete).`,
          `Take ${key} out of the stack's own values: pulumi config get vault.valuesFile --stack ${stack.name}`,
        ),
      );
  },
};
