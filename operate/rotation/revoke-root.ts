/** Revokes the root token, once another login has done what is needed. */
import { CommandError } from "../../setup/command.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { adminPolicy, adminRules, stackPolicy, stackRules } from "./policies.ts";
import { finishRetiring } from "./retire.ts";
import {
  enableUserpass,
  hasUser,
  lacking,
  login,
  makeStackToken,
  makeUser,
  writePolicy,
} from "./root-api.ts";
import { heldKeys, type Rotating, replaceKeys, withLeader } from "./rotating.ts";

/** Who logs in from now on. */
export interface Admin {
  user: string;
  password: string;
}

/** Whether the stack's token is a root token still. */
export async function isRoot(rotating: Rotating): Promise<boolean> {
  const { answer } = await heldKeys(rotating);
  return await withLeader(rotating, answer.rootToken, async (leader) =>
    (await leader.ownPolicies()).includes("root"),
  );
}

/**
 * Makes a user with the policy of an administrator, and logs in. That login makes the token that the stack goes on with,
 * which shows that it can do what only root could before. The root token is revoked last.
 * @throws CommandError where the login or the stack's token lacks something; the root token is good then
 */
export async function revokeRoot(admin: Admin, rotating: Rotating): Promise<void> {
  await finishRetiring(rotating);
  const keys = await heldKeys(rotating);
  const { answer } = keys;
  const { say } = rotating;
  await withLeader(rotating, answer.rootToken, (root) => makeAdmin(admin, root, rotating));
  const own = await withLeader(rotating, undefined, (leader) =>
    login(leader, admin.user, admin.password),
  ).catch(refusedLogin(admin.user));
  const rootToken = await withLeader(rotating, own, (leader) => asAdmin(admin.user, leader));
  say(
    `${admin.user} has logged in, and has made the token that the stack goes on with (policy ${stackPolicy})`,
  );
  await withLeader(rotating, rootToken, proveStackToken);
  await replaceKeys(rotating, keys, {
    ...keys,
    answer: { ...answer, rootToken },
    retiring: answer.rootToken,
    rootRevoked: { at: new Date().toISOString(), user: admin.user },
  });
  await withLeader(rotating, own, (leader) => leader.revokeSelf());
  await finishRetiring(rotating);
}

async function makeAdmin({ user, password }: Admin, root: Vault, { say }: Rotating): Promise<void> {
  if (!(await root.ownPolicies()).includes("root"))
    throw new CommandError("The stack's token is no root token: it was revoked before. Nothing was changed.");
  await enableUserpass(root);
  await writePolicy(root, adminPolicy, adminRules);
  if (await hasUser(root, user)) say(`there is a user ${user} already: it is left as it is`);
  else {
    await makeUser(root, user, password, adminPolicy);
    say(`user ${user} is made, with the policy ${adminPolicy}`);
  }
}

/** Does with that login what only root could before. */
async function asAdmin(user: string, leader: Vault): Promise<string> {
  const missing = await lacking(leader, adminRules);
  if (missing.length > 0)
    throw new CommandError(
      `${user} may not do all that is needed. The root token is good still.\n  ${missing.join("\n  ")}\nNext: vault write auth/userpass/users/${user} token_policies=${adminPolicy}`,
    );
  await writePolicy(leader, stackPolicy, stackRules);
  return await makeStackToken(leader, stackPolicy);
}

async function proveStackToken(leader: Vault): Promise<void> {
  const missing = await lacking(leader, stackRules);
  // What the steps ask first, in fact: it shows that Vault knows the token everywhere.
  await leader.autopilotState();
  if (missing.length === 0) return;
  throw new CommandError(
    `The stack's token may not do all that its steps need. The root token is good still.\n  ${missing.join("\n  ")}`,
  );
}

function refusedLogin(user: string) {
  return (error: unknown): never => {
    if (!(error instanceof VaultError) || error.status !== 400) throw error;
    throw new CommandError(
      `${user} cannot log in with this password (${error.message}). The root token is good still. Where the user was there before, give its own password, or another user (--user).`,
    );
  };
}
