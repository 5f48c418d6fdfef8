/** Finds what tours have made in Vault and not taken away, and takes it away. */
import { z } from "zod";
import { StepError } from "../../steps/lib/errors.ts";
import { Engines } from "../../steps/lib/vault-answers.ts";
import type { Api, ApiCall, Values } from "./api.ts";
import { description, prefix } from "./names.ts";

const Keys = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const Policy = z.object({ data: z.object({ policy: z.string() }) });
const Token = z.object({
  data: z.object({ path: z.string(), meta: z.record(z.string(), z.string()).nullish() }),
});

/**
 * Removes the tokens, policies and mounts of all tours. None may run beside this one.
 * @param values VAULT_TOKEN, which may do all that
 * @returns what was removed, in words
 */
export async function removeLeft(api: Api, values: Values): Promise<string[]> {
  const call = async (method: ApiCall["method"], path: string, body?: ApiCall["body"], gone = [404]) => {
    const sent: ApiCall = { method, path, token: "VAULT_TOKEN", ...(body && { body }) };
    const { status, json } = await api.send(sent, values);
    if (gone.includes(status)) return undefined;
    if (status > 299) throw new StepError(`Vault answered ${method} /v1/${path} with ${status}`);
    return json;
  };
  // A token may have ended meanwhile.
  const about = (accessor: string, what: string) =>
    call("POST", `auth/token/${what}-accessor`, { accessor }, [400, 403, 404]);
  const ours = (name: string, mark: string) => name.startsWith(prefix) && mark.includes(description);

  const engines = Engines.parse(await call("GET", "sys/mounts")).data;
  const mounts = Object.keys(engines).filter((path) => ours(path, engines[path]?.description ?? ""));

  const policies: string[] = [];
  for (const name of Keys.parse(await call("GET", "sys/policies/acl?list=true")).data.keys) {
    if (!name.startsWith(prefix)) continue;
    const policy = Policy.safeParse(await call("GET", `sys/policies/acl/${name}`)).data?.data.policy;
    if (ours(name, policy ?? "")) policies.push(name);
  }

  // There may be many tokens, and only looking at each one tells whose it is.
  const tokens: string[] = [];
  const accessors =
    mounts.length + policies.length > 0 && (await call("GET", "auth/token/accessors?list=true"));
  for (const accessor of accessors ? Keys.parse(accessors).data.keys : []) {
    const token = Token.safeParse(await about(accessor, "lookup")).data?.data;
    const made = token?.meta?.description === description;
    // One that wraps has no description; its path is that of what it wraps.
    if (made || mounts.some((mount) => token?.path.startsWith(mount))) tokens.push(accessor);
  }

  for (const accessor of tokens) await about(accessor, "revoke");
  for (const name of policies) await call("DELETE", `sys/policies/acl/${name}`);
  for (const path of mounts) await call("DELETE", `sys/mounts/${path.replace(/\/$/, "")}`);
  return [
    ...(tokens.length > 0 ? [tokens.length === 1 ? "a token" : `${tokens.length} tokens`] : []),
    ...policies.map((name) => `the policy ${name}`),
    ...mounts.map((path) => `the mount ${path}`),
  ];
}
