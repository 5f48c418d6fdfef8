/** Vault's API for logins and tokens, as far as the root token's place is taken by others. */
import { z } from "zod";
import type { Vault } from "../../steps/lib/vault.ts";
import { Nothing } from "../../steps/lib/vault-answers.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { type Capability, policyText, type Rule } from "./policies.ts";

const Authenticated = z.object({ auth: z.object({ client_token: z.string().min(1) }) });

/** How long the stack's token is good where nobody renews it; Vault takes no longer period by default. */
export const stackTokenPeriod = "768h";

export async function writePolicy(vault: Vault, name: string, rules: readonly Rule[]): Promise<void> {
  await vault.ask(Nothing, "PUT", `sys/policies/acl/${name}`, { policy: policyText(rules) });
}

/** Has Vault take user names and passwords; changes nothing where it does. */
export async function enableUserpass(vault: Vault): Promise<void> {
  const { auth } = await vault.mounts();
  if (auth.includes("userpass/")) return;
  await vault.ask(Nothing, "POST", "sys/auth/userpass", { type: "userpass" });
}

/** Whether there is such a user. */
export async function hasUser(vault: Vault, user: string): Promise<boolean> {
  try {
    await vault.ask(Nothing, "GET", userPath(user));
    return true;
  } catch (error) {
    if (error instanceof VaultError && error.status === 404) return false;
    throw error;
  }
}

export async function makeUser(vault: Vault, user: string, password: string, policy: string): Promise<void> {
  await vault.ask(Nothing, "POST", userPath(user), { password, token_policies: [policy] });
}

/** @returns the login's token */
export async function login(vault: Vault, user: string, password: string): Promise<string> {
  const path = `auth/userpass/login/${encodeURIComponent(user)}`;
  return (await vault.ask(Authenticated, "POST", path, { password })).auth.client_token;
}

/** A token that no end of another token ends, and that ends by itself where nobody renews it. */
export async function makeStackToken(vault: Vault, policy: string): Promise<string> {
  const body = {
    ...{ policies: [policy], period: stackTokenPeriod, no_default_policy: true },
    display_name: policy,
  };
  return (await vault.ask(Authenticated, "POST", "auth/token/create-orphan", body)).auth.client_token;
}

/** Has the token that is used here be good for a whole period again. @returns for how many seconds */
export async function renewSelf(vault: Vault): Promise<number> {
  const answer = z.object({ auth: z.object({ lease_duration: z.number() }) });
  return (await vault.ask(answer, "POST", "auth/token/renew-self", {})).auth.lease_duration;
}

/** What of these rules the token that is used here may not do, such as "sys/audit: sudo". */
export async function lacking(vault: Vault, rules: readonly Rule[]): Promise<string[]> {
  // A path of each rule, since capabilities are asked of paths, not of patterns.
  const paths = rules.map(({ path }) => path.replace(/\*$/, "probe"));
  const answer = z.object({ data: z.record(z.string(), z.unknown()) });
  const { data } = await vault.ask(answer, "POST", "sys/capabilities-self", { paths });
  return rules.flatMap(({ path, may }, at) => {
    const has = z.array(z.string()).parse(data[paths[at] ?? ""] ?? []);
    const missing: Capability[] = may.filter((each) => !has.includes(each) && !has.includes("root"));
    return missing.length === 0 ? [] : [`${path}: ${missing.join(", ")}`];
  });
}

function userPath(user: string): string {
  return `auth/userpass/users/${encodeURIComponent(user)}`;
}
