/** The two policies that take the root token's place. */

import { backupLogin } from "../../steps/lib/backup-login.ts";

/** What a path may be used for. */
export type Capability = "create" | "read" | "update" | "patch" | "delete" | "list" | "sudo";

/** One path, as Vault's policies name it, and why it is needed. */
export interface Rule {
  path: string;
  may: Capability[];
  why: string;
}

/** Of the token that the stack works with. */
export const stackPolicy = "vault-ha";

/**
 * What the steps, `status`, `doctor`, snapshots, restores, rehearsals and changes of keys need, and nothing else: no
 * secret engine but those of a rehearsal, no policy, no login, no other token.
 */
export const stackRules: Rule[] = [
  { path: "auth/token/lookup-self", may: ["read"], why: "how long it is good" },
  { path: "auth/token/renew-self", may: ["update"], why: "it ends where nobody renews it" },
  { path: "auth/token/revoke-self", may: ["update"], why: "another one takes its place" },
  { path: "sys/capabilities-self", may: ["update"], why: "it is proved before the root token is revoked" },
  {
    path: "cubbyhole/*",
    may: ["create", "read", "update", "delete"],
    why: "verify's write, and the marker of each snapshot",
  },
  { path: "sys/storage/raft/configuration", may: ["read"], why: "join, voter, verify, status" },
  { path: "sys/storage/raft/autopilot/state", may: ["read"], why: "voter, verify, status" },
  {
    path: "sys/storage/raft/autopilot/configuration",
    may: ["read", "update"],
    why: "a new node is to vote soon",
  },
  { path: "sys/storage/raft/remove-peer", may: ["update"], why: "leave" },
  { path: "sys/storage/raft/snapshot", may: ["read", "update"], why: "snapshot save, restore" },
  { path: "sys/storage/raft/snapshot-force", may: ["update"], why: "restore --from-cluster" },
  { path: "sys/step-down", may: ["update", "sudo"], why: "rollout: the leader goes last" },
  // The login of scheduled snapshots is made by root; these tell that it is as it was made.
  { path: "sys/auth", may: ["read"], why: "backup-login" },
  { path: `sys/policies/acl/${backupLogin.policy}`, may: ["read"], why: "backup-login" },
  { path: `auth/${backupLogin.mount}/*`, may: ["read"], why: "backup-login" },
  { path: "sys/audit", may: ["read", "sudo"], why: "audit, doctor" },
  { path: "sys/audit/file", may: ["update", "sudo"], why: "audit" },
  // From Vault 2.0 on these want a token beside the shares (CVE-2026-5807).
  { path: "sys/generate-root/*", may: ["read", "update", "delete"], why: "root generate" },
  { path: "sys/rekey/*", may: ["read", "update", "delete"], why: "rekey" },
  { path: "sys/rekey-recovery-key/*", may: ["read", "update", "delete"], why: "rekey, with a seal" },
  { path: "sys/rotate", may: ["update", "sudo"], why: "rotate" },
  { path: "sys/key-status", may: ["read"], why: "rotate" },
  { path: "sys/mounts", may: ["read"], why: "rehearse failover: finds what a killed one has left" },
  { path: "sys/mounts/rehearsal-*", may: ["create", "update", "delete"], why: "rehearse failover" },
  { path: "rehearsal-*", may: ["create", "read", "update", "delete", "list"], why: "rehearse failover" },
];

/** Of the user that logs in where the root token was used before. */
export const adminPolicy = "vault-ha-admin";

const all: Capability[] = ["create", "read", "update", "patch", "delete", "list", "sudo"];

/**
 * Everything about Vault itself. It reads no secret of an engine; who has it can write a policy that does, and the audit
 * log then has that.
 */
export const adminRules: Rule[] = [
  { path: "sys/*", may: all, why: "engines, policies, audit devices, keys, snapshots" },
  { path: "auth/*", may: all, why: "logins, and tokens for programs" },
  { path: "identity/*", may: all, why: "entities and groups" },
];

/** A policy in Vault's own language (HCL), a comment at each path. */
export function policyText(rules: readonly Rule[]): string {
  return rules
    .map(({ path, may, why }) => {
      const capabilities = may.map((each) => `"${each}"`).join(", ");
      return `# ${why}\npath "${path}" {\n  capabilities = [${capabilities}]\n}\n`;
    })
    .join("\n");
}
