import { z } from "zod";
import { RaftConfiguration } from "../../steps/lib/vault-answers.ts";
import { Health, SealStatus, TokenLookup } from "./answers.ts";
import type { Values } from "./api.ts";
import { kvSteps } from "./kv-steps.ts";
import type { Names } from "./names.ts";
import { reader, root, type TourStep } from "./step.ts";
import { transitSteps } from "./transit-steps.ts";

/**
 * The steps of a tour, in their order. The first ones, and no others, only look.
 * @param values SECRET, NEW_SECRET and PLAINTEXT: what is written, and has to come back
 */
export function tourSteps(names: Names, values: Values): TourStep[] {
  return [...looks, ...kvSteps(names, values), ...transitSteps(names, values), listPeers, ...cleaning(names)];
}

const looks: TourStep[] = [
  {
    name: "health",
    says: "Asks whether Vault is up, initialised and unsealed. Needs no token. A standby would answer 429 to this without standbyok.",
    call: { method: "GET", path: "sys/health?standbyok=true" },
    cli: "vault read sys/health standbyok=true",
    answer: Health,
  },
  {
    name: "seal status",
    says: "Asks how Vault is sealed: how many shares there are (n), and how many of them unseal it (t).",
    call: { method: "GET", path: "sys/seal-status" },
    cli: "vault status",
    answer: SealStatus,
  },
  {
    name: "sign in",
    says: "Asks whom the token stands for: the root token may do everything and never ends. vault login keeps it in ~/.vault-token, unless it is told -no-store.",
    call: { method: "GET", path: "auth/token/lookup-self", token: root },
    cli: `printf %s "$${root}" | vault login -no-store -field=policies -`,
    answer: TokenLookup,
  },
];

const listPeers: TourStep = {
  name: "list peers",
  says: "Lists the nodes that keep the data with Raft: one leads, and those with a vote elect the next.",
  call: { method: "GET", path: "sys/storage/raft/configuration", token: root },
  cli: "vault operator raft list-peers",
  answer: RaftConfiguration,
};

const cleaning = ({ kv, transit, policy }: Names): TourStep[] => [
  {
    name: "revoke the token",
    says: "Cleans up: the token revokes itself, which every token may.",
    call: { method: "POST", path: "auth/token/revoke-self", token: reader },
    cli: `VAULT_TOKEN="$${reader}" vault token revoke -self`,
    answer: z.null(),
  },
  {
    name: "delete the policy",
    says: "Cleans up: deletes the policy.",
    call: { method: "DELETE", path: `sys/policies/acl/${policy}`, token: root },
    cli: `vault policy delete ${policy}`,
    answer: z.null(),
  },
  ...[
    ["kv", kv, "with all versions of the secret"],
    ["transit", transit, "with its key: what it has encrypted is lost for good"],
  ].map(([engine, path, what]) => ({
    name: `disable ${engine}`,
    says: `Cleans up: takes the engine away, ${what}.`,
    call: { method: "DELETE" as const, path: `sys/mounts/${path}`, token: root },
    cli: `vault secrets disable ${path}`,
    answer: z.null(),
  })),
];
