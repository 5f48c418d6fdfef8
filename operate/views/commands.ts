import { kubectl } from "../../steps/lib/target.ts";
import { sealOf } from "../open-vault.ts";
import type { Subject } from "./subject.ts";

/** What of a subject the next commands are made from. */
export type Named = Pick<Subject, "stack" | "stackDir" | "target" | "pods">;

/** Shows the shares that the state holds. */
export function sharesCommand({ stack, resources }: Pick<Subject, "stack" | "resources">): string {
  const output = sealOf(resources) === undefined ? "shares" : "recoveryShares";
  return `pulumi stack output ${output} --show-secrets --stack ${stack}`;
}

/** The commands that end the messages. */
export function commandsOf({ stack, stackDir, target }: Named) {
  const flag = stack === "dev" ? "" : ` -- --stack ${stack}`;
  const reach = target?.reach ?? { kind: "direct" as const, addresses: {} };
  return {
    up: `npm run up${flag}`,
    unseal: `npm run unseal${flag}`,
    down: `npm run down${flag}`,
    doctor: `npm run doctor${flag}`,
    kubectl: (command: string) => kubectl({ stackDir, reach }, command),
    /** Runs a vault command in a node, with a token that is typed and not shown. */
    vault: (node: string, command: string) =>
      kubectl(
        { stackDir, reach },
        `exec -it ${node} -- sh -c 'read -rsp "token: " VAULT_TOKEN; export VAULT_TOKEN; vault ${command}'`,
      ),
    /** Runs a step again that Pulumi holds to be done. */
    again: (step: string) => `pulumi up --stack ${stack} --replace '**lifecycle-${step}'`,
  };
}
