/** How a scheduled snapshot logs in to Vault: by its pod's service account, for that one thing. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { StepError } from "./errors.ts";
import { readKeys } from "./keys-file.ts";
import type { Target } from "./target.ts";
import { kubectl } from "./target.ts";
import type { Vault } from "./vault.ts";
import { Nothing } from "./vault-answers.ts";
import { longRequestMs } from "./vault-client.ts";
import { VaultError } from "./vault-error.ts";

/** Name of the CronJob, its service account and its volume. */
export const backupName = "vault-backup";

/** Names of its own in Vault, so that nothing of anybody else's is met. */
export const backupLogin = {
  mount: "vault-ha-backup",
  policy: "vault-ha-backup",
  role: "backup",
  /** A token of the service account is good for this login alone. */
  audience: "vault-ha-backup",
} as const;

/** By these the mount and the policy are known to be this program's. */
const description = "vault-ha: the login of scheduled snapshots";
const policyText = `# ${description}\npath "sys/storage/raft/snapshot" {\n  capabilities = ["read"]\n}\n`;

const Mounted = z.object({
  data: z.record(z.string(), z.object({ type: z.string(), description: z.string() })),
});
const Settings = z.object({ data: z.record(z.string(), z.unknown()) });
const Policy = z.object({ data: z.object({ policy: z.string() }) });

export interface BackupLogin {
  /** The namespace of the service account. */
  namespace: string;
  /** Where Vault asks whose a token is. */
  host: string;
  /** Vault runs in a pod: it asks with its own service account. */
  inPod: boolean;
}

/** What the login's auth method and role are to be, as Vault takes them. */
function wanted({ namespace, host, inPod }: BackupLogin) {
  const { policy, audience } = backupLogin;
  return {
    config: { kubernetes_host: host, disable_local_ca_jwt: !inPod },
    role: {
      bound_service_account_names: [backupName],
      bound_service_account_namespaces: [namespace],
      audience,
      token_policies: [policy],
      token_no_default_policy: true,
      // A batch token is not stored and ends by itself; reading the snapshot begins within seconds.
      token_type: "batch",
      token_ttl: 300,
      token_max_ttl: 300,
    },
  };
}

/**
 * Makes the login, or brings it to what it is to be; anybody else's is left alone. One that is as it is to be is looked at
 * only: the stack's token, once root is revoked, may read the login and not write it.
 * @throws StepError where something else stands under its names, this Vault has no such auth method, or the token may not
 * write it
 */
export async function makeBackupLogin(
  vault: Vault,
  login: BackupLogin,
  target: Pick<Target, "stack" | "stackDir" | "reach">,
): Promise<"made" | "there already"> {
  const { mounted, written } = await found(vault, target);
  if (mounted && written && (await isAsWanted(vault, login))) return "there already";
  await write(vault, login, mounted).catch(async (error) => {
    if (!(error instanceof VaultError)) throw error;
    if (/plugin not found|unknown backend/.test(error.message))
      throw new StepError(
        "this Vault has no auth method `kubernetes`, by which scheduled snapshots log in. Nothing was changed",
        "npm run setup   (then npm run up; or without a schedule: pulumi config rm backup.schedule)",
      );
    if (error.status === 403 && (await readKeys(target.stackDir))?.pgp !== undefined)
      throw new StepError(
        `${error.message}. The stack's token may not make the login of scheduled snapshots; the root token makes it, together with another token for the stack`,
        `npm run custody token -- --stack ${target.stack}   (then npm run up)`,
      );
    if (error.status === 403)
      throw new StepError(
        `${error.message}. The stack's token may not make the login of scheduled snapshots; root may, and can be revoked again afterwards`,
        `npm run root generate -- --stack ${target.stack}   (then npm run up)`,
      );
    throw error;
  });
  return "made";
}

async function write(vault: Vault, login: BackupLogin, mounted: boolean): Promise<void> {
  const { mount, policy, role } = backupLogin;
  const { config, role: roleWanted } = wanted(login);
  if (!mounted)
    await vault.ask(Nothing, "POST", `sys/auth/${mount}`, { type: "kubernetes", description }, longRequestMs);
  await vault.ask(Nothing, "PUT", `sys/policies/acl/${policy}`, { policy: policyText });
  await vault.ask(Nothing, "POST", `auth/${mount}/config`, config);
  await vault.ask(Nothing, "POST", `auth/${mount}/role/${role}`, roleWanted);
}

/** Whether the auth method and the role say what they are to say. */
async function isAsWanted(vault: Vault, login: BackupLogin): Promise<boolean> {
  const { mount, role } = backupLogin;
  const read = (path: string) =>
    vault.ask(Settings, "GET", `auth/${mount}/${path}`).catch((error) => {
      if (error instanceof VaultError && error.status === 404) return { data: {} as Record<string, unknown> };
      throw error;
    });
  const pairs = [
    [(await read("config")).data, wanted(login).config],
    [(await read(`role/${role}`)).data, wanted(login).role],
  ] as const;
  return pairs.every(([is, to]) =>
    Object.entries(to).every(([key, value]) => isDeepStrictEqual(is[key], value)),
  );
}

/** Takes the login away, with its policy; anybody else's under the same names is left alone. */
export async function removeBackupLogin(
  vault: Vault,
  target: Pick<Target, "stackDir" | "reach">,
): Promise<void> {
  const { mounted, ours } = await found(vault, target);
  if (mounted) await vault.ask(Nothing, "DELETE", `sys/auth/${backupLogin.mount}`, undefined, longRequestMs);
  if (ours) await vault.ask(Nothing, "DELETE", `sys/policies/acl/${backupLogin.policy}`);
}

async function found(vault: Vault, target: Pick<Target, "stackDir" | "reach">) {
  const { mount, policy } = backupLogin;
  const other = (what: string, command: string) =>
    new StepError(
      `${what} is there already and was not made by this program. Nothing was changed`,
      kubectl(target, `exec -it vault-0 -- vault ${command}`),
    );
  const there = (await vault.ask(Mounted, "GET", "sys/auth")).data[`${mount}/`];
  if (there && (there.type !== "kubernetes" || there.description !== description))
    throw other(`the auth method ${mount}/ (${there.type})`, "auth list");
  const text = await vault.ask(Policy, "GET", `sys/policies/acl/${policy}`).catch((error) => {
    if (error instanceof VaultError && error.status === 404) return undefined;
    throw error;
  });
  if (text && !text.data.policy.startsWith(`# ${description}\n`))
    throw other(`the policy ${policy}`, `policy read ${policy}`);
  return {
    mounted: there !== undefined,
    ours: text !== undefined,
    written: text?.data.policy === policyText,
  };
}
