/** Keys and values, who may read them, and how they are handed on. */
import { z } from "zod";
import { shellWord } from "../../setup/shell-word.ts";
import { NewToken, Refused, Secret, Wrapped, Written } from "./answers.ts";
import type { Values } from "./api.ts";
import { description, type Names } from "./names.ts";
import { reader, root, type TourStep } from "./step.ts";

/** For how long the token of a tour, and what it wraps, are good where nobody takes them away. */
const tokenMinutes = 10;
const wrapSeconds = 60;

const wrapping = "WRAPPING_TOKEN";

export function kvSteps({ kv, policy }: Names, values: Values): TourStep[] {
  const account = `${kv}/data/account`;
  const read = `vault kv get -mount=${kv}`;
  const write = (name: string) => ({
    call: {
      method: "POST" as const,
      path: account,
      token: root,
      body: { data: { user: "ada", password: `$${name}` } },
    },
    cli: `printf %s "$${name}" | vault kv put -mount=${kv} account user=ada password=-`,
  });
  const holds = (name: string, version: number) => Secret(values[name] ?? "", version);
  const rule = `path "${account}" { capabilities = ["read"] } # ${description}`;

  return [
    {
      name: "enable kv",
      says: "Mounts a secret engine for keys and values, of version 2, which keeps earlier versions, at a path of its own.",
      call: {
        method: "POST",
        path: `sys/mounts/${kv}`,
        token: root,
        body: { type: "kv", description, options: { version: "2" } },
      },
      cli: `vault secrets enable -path=${kv} -description=${shellWord(description)} -version=2 kv`,
      answer: z.null(),
    },
    {
      name: "write",
      says: "Writes a secret: its first version.",
      ...write("SECRET"),
      answer: Written(1),
    },
    {
      name: "write again",
      says: "Writes it again with another password: its second version.",
      ...write("NEW_SECRET"),
      answer: Written(2),
    },
    {
      name: "read",
      says: "Reads it: the newest version comes.",
      call: { method: "GET", path: account, token: root },
      cli: `${read} account`,
      answer: holds("NEW_SECRET", 2),
    },
    {
      name: "read a version back",
      says: "Reads the first version, which is still there.",
      call: { method: "GET", path: `${account}?version=1`, token: root },
      cli: `${read} -version=1 account`,
      answer: holds("SECRET", 1),
    },
    {
      name: "write a policy",
      says: "Writes a policy: whoever has it may read this one secret, and nothing else is allowed by it.",
      call: { method: "POST", path: `sys/policies/acl/${policy}`, token: root, body: { policy: rule } },
      cli: `echo ${shellWord(rule)} | vault policy write ${policy} -`,
      answer: z.null(),
    },
    {
      name: "make a token",
      says: `Makes a token with that policy. It ends by itself after ${tokenMinutes} minutes.`,
      call: {
        method: "POST",
        path: "auth/token/create",
        token: root,
        body: { policies: [policy], ttl: `${tokenMinutes}m`, meta: { description } },
      },
      cli: `${reader}="$(vault token create -policy=${policy} -ttl=${tokenMinutes}m -metadata=description=${shellWord(description)} -field=token)"`,
      answer: NewToken,
      keeps: { name: reader, from: ["auth", "client_token"] },
    },
    {
      name: "read with that token",
      says: "Reads the secret with it: the policy allows that.",
      call: { method: "GET", path: account, token: reader },
      cli: `VAULT_TOKEN="$${reader}" ${read} account`,
      answer: holds("NEW_SECRET", 2),
    },
    {
      name: "write with that token",
      says: "Tries to write with it: the policy does not allow that, so Vault answers 403.",
      call: { method: "POST", path: account, token: reader, body: { data: { user: "eve" } } },
      cli: `VAULT_TOKEN="$${reader}" vault kv put -mount=${kv} account user=eve`,
      answer: Refused,
      refusal: 403,
    },
    {
      name: "wrap",
      says: `Reads the secret wrapped: what comes is a token that opens the answer once, within ${wrapSeconds} s. It can be handed on by somebody who may not see the secret.`,
      call: { method: "GET", path: account, token: root, wrapTtl: `${wrapSeconds}s` },
      cli: `${wrapping}="$(vault read -wrap-ttl=${wrapSeconds}s -field=wrapping_token ${account})"`,
      answer: Wrapped,
      keeps: { name: wrapping, from: ["wrap_info", "token"] },
    },
    {
      name: "unwrap",
      says: "Opens it with the wrapping token, which is used up by that.",
      call: { method: "POST", path: "sys/wrapping/unwrap", token: wrapping },
      cli: `VAULT_TOKEN="$${wrapping}" vault unwrap`,
      answer: holds("NEW_SECRET", 2),
    },
  ];
}
