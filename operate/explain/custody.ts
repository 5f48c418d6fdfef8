/** The steps that are others where people hold the shares (custody.mode pgp). */

import type { Settings } from "../../config.ts";
import type { CustodySettings } from "../../settings/opening.ts";
import { podNames } from "../../steps/lib/road.ts";
import { holdersCommand } from "../../steps/lib/unseal.ts";
import { stackPolicy } from "../rotation/policies.ts";
import { stackTokenPeriod } from "../rotation/root-api.ts";
import type { ExplainedStep } from "./steps.ts";

type ByPeople = Extract<CustodySettings, { mode: "pgp" }>;

const vaultIn = ({ vault }: Settings, pod: string, command: string) =>
  `kubectl --namespace ${vault.namespace} exec ${pod} -- vault ${command}`;

export function explainedInit(stack: string, settings: Settings, custody: ByPeople): ExplainedStep {
  const { shares, threshold } = settings.vault;
  const [first = ""] = podNames(1);
  return {
    title: `initialise ${first}: ${shares} shares, threshold ${threshold}, each encrypted to its holder`,
    resources: [`lifecycle-init-${first}`],
    byHand: [
      vaultIn(
        settings,
        first,
        `operator init -key-shares=${shares} -key-threshold=${threshold} -pgp-keys="${custody.holders.join(",")}" -root-token-pgp-key="${custody.rootHolder}" -format=json > cluster-keys.json`,
      ),
    ],
    here: [
      "The keys are looked at before anything is made: expired, revoked, private, without a part that encrypts, twice the same, too many or too few.",
      `Vault itself encrypts. The state and .local/stacks/${stack}/vault-init.json have what each holder alone can read, and no share and no root token. npm run custody shares writes it into a file for each.`,
    ],
    trap: "Vault takes a key that has expired, and finds no fault with one person's key given twice. The files have to be in the pod.",
  };
}

export function explainedUnseal(stack: string, pod: string, settings: Settings): ExplainedStep {
  const { shares, threshold } = settings.vault;
  const [first] = podNames(1);
  return {
    title: `wait until ${threshold} of ${shares} holders have unsealed ${pod}`,
    resources: [`lifecycle-unseal-${pod}`],
    byHand: [
      `${vaultIn(settings, pod, "operator unseal").replace(" exec ", " exec -it ")}   # each holder, with a share`,
    ],
    here:
      pod === first
        ? [
            `Says every ten seconds how many shares there are. Each holder, here or on a machine of their own: ${holdersCommand({ stack })}. At its limit (timeouts.stepSeconds) it ends, and the next run goes on.`,
          ]
        : [`As for ${first}. Who is there with --stay has a share in memory, and it goes to this node, too.`],
  };
}

export function explainedToken(stack: string, settings: Settings): ExplainedStep {
  const [first = ""] = podNames(1);
  return {
    title: "wait until the root token has made the stack's own",
    resources: ["lifecycle-token"],
    byHand: [
      vaultIn(
        settings,
        first,
        `token create -orphan -policy=${stackPolicy} -period=${stackTokenPeriod} -no-default-policy`,
      ),
    ],
    here: [
      `The root token's holder decrypts it, and npm run custody token -- --stack ${stack} writes the policy, makes the token and forgets the root token.`,
    ],
    trap: "A root token that a program keeps is as good as all shares together.",
  };
}
