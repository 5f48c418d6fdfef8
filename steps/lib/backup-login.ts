/** How a scheduled snapshot logs in to Vault: by its pod's service account, for that one thing. */
import { z } from "zod";
import { StepError } from "./errors.ts";
import type { Target } from "./target.ts";
import { kubectl } from "./target.ts";
import { longRequestMs, type Vault } from "./vault.ts";
import { Nothing } from "./vault-answers.ts";
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
const Policy = z.object({ data: z.object({ policy: z.string() }) });

export interface BackupLogin {
  /** The namespace of the service account. */
  namespace: string;
  /** Where Vault asks whose a token is. */
  host: string;
  /** Vault runs in a pod: it asks with its own service account. */
  inPod: boolean;
}

/**
 * Makes the login, or brings it to what it is to be; anybody else's is left alone.
 * @throws StepError where something else stands under its names, or this Vault has no such auth method
 */
export async function makeBackupLogin(
  vault: Vault,
  { namespace, host, inPod }: BackupLogin,
  target: Pick<Target, "stackDir" | "reach">,
): Promise<"made" | "there already"> {
  const { mount, policy, role, audience } = backupLogin;
  const { mounted, written } = await found(vault, target);
  if (!mounted)
    await vault
      .ask(Nothing, "POST", `sys/auth/${mount}`, { type: "kubernetes", description }, longRequestMs)
      .catch((error) => {
        if (!(error instanceof VaultError) || !/plugin not found|unknown backend/.test(error.message))
          throw error;
        throw new StepError(
          "this Vault has no auth method `kubernetes`, by which scheduled snapshots log in. Nothing was changed",
          "npm run setup   (then npm run up; or without a schedule: pulumi config rm backup.schedule)",
        );
      });
  await vault.ask(Nothing, "PUT", `sys/policies/acl/${policy}`, { policy: policyText });
  await vault.ask(Nothing, "POST", `auth/${mount}/config`, {
    kubernetes_host: host,
    ...(!inPod && { disable_local_ca_jwt: true }),
  });
  await vault.ask(Nothing, "POST", `auth/${mount}/role/${role}`, {
    bound_service_account_names: [backupName],
    bound_service_account_namespaces: [namespace],
    audience,
    token_policies: [policy],
    token_no_default_policy: true,
    // A batch token is not stored and ends by itself; reading the snapshot begins within seconds.
    token_type: "batch",
    token_ttl: "5m",
    token_max_ttl: "5m",
  });
  return mounted && written ? "there already" : "made";
}

/** Takes the login away, with its policy; anybody else's under the same names is left alone. */
export async function removeBackupLogin(
  vault: Vault,
  target: Pick<Target, "stackDir" | "reach">,
): Promise<void> {
  const { mounted, written } = await found(vault, target);
  if (mounted) await vault.ask(Nothing, "DELETE", `sys/auth/${backupLogin.mount}`, undefined, longRequestMs);
  if (written) await vault.ask(Nothing, "DELETE", `sys/policies/acl/${backupLogin.policy}`);
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
  return { mounted: there !== undefined, written: text !== undefined };
}
