/** The steps of a stack whose nodes unseal themselves. */
import { type SealSettings, secretKeys } from "../../settings/seals.ts";
import type { ExplainedStep } from "./steps.ts";

/** The Secret that somebody else makes. */
export function explainedSealSecret(seal: SealSettings, namespace: string): ExplainedStep {
  const { env, files } = secretKeys(seal);
  const from = [...env, ...files].map((key) => `--from-file ${key}`);
  return {
    title: `the Secret ${seal.secret}, by which the nodes log in at their seal ${seal.type}`,
    resources: ["vault-seal"],
    byHand: [
      `kubectl --namespace ${namespace} create secret generic ${seal.secret} ${from.join(" ")}`.trimEnd(),
    ],
    here: [
      "Waits until somebody has made it, with each key that the seal wants; what they hold is read by the pods alone.",
    ],
    trap: "A token in Vault's configuration is in a ConfigMap, which more people may read than a Secret.",
  };
}

/** No share is sent. */
export function explainedSelfUnseal(pod: string, first: string, { type }: SealSettings): ExplainedStep {
  return {
    title: `wait until ${pod} has unsealed itself (seal ${type})`,
    resources: [`lifecycle-unseal-${pod}`],
    byHand: [],
    here:
      pod === first
        ? [
            "No share is sent: with a seal they are recovery shares, and unseal nothing. A node that is started again later unseals itself, and no update is needed.",
            "Where the seal is not reached or refuses the login, Vault's own words about it are told.",
          ]
        : [`As for ${first}.`],
    ...(pod === first && {
      trap: "A Vault that does not reach its seal when it is started ends, again and again: to Kubernetes it is a crash, and only its log says why.",
    }),
  };
}
