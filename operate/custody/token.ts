/** Has the root token make the token that a stack works with whose shares people hold. */
import { CommandError } from "../../setup/command.ts";
import { makeBackupLogin } from "../../steps/lib/backup-login.ts";
import { writeKeys } from "../../steps/lib/keys-file.ts";
import type { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { stackPolicy, stackRules } from "../rotation/policies.ts";
import { lacking, makeStackToken, writePolicy } from "../rotation/root-api.ts";
import { type Rotating, withLeader } from "../rotation/rotating.ts";
import { heldByPeople } from "./held.ts";

/** What a token for the stack was made for. */
export interface MadeToken {
  policy: string;
  /** Whether it takes another one's place: the next update then brings it into Pulumi's state. */
  replaces: boolean;
}

/**
 * The root token, or another that may write policies and make orphans, is used for this and kept nowhere. The stack's
 * token is in the journal before the one of before is revoked.
 * @param backup whether the stack saves snapshots on a schedule, whose login only such a token can make
 * @throws CommandError where Vault does not take the token, or it may not do enough
 */
export async function makeToken(
  given: string,
  rotating: Rotating & Pick<Target, "reach">,
  { backup }: { backup: boolean },
): Promise<MadeToken> {
  const { stack, stackDir, road, signal, reach } = rotating;
  await heldByPeople(stack, stackDir);
  const { token, clusterId } = await withLeader(rotating, given, async (leader) => {
    const { cluster_id } = await leader.sealStatus();
    try {
      await writePolicy(leader, stackPolicy, stackRules);
      if (backup)
        await makeBackupLogin(
          leader,
          {
            namespace: reach.kind === "kubernetes" ? reach.namespace : "vault",
            host: "https://kubernetes.default.svc",
            inPod: reach.kind === "kubernetes",
          },
          rotating,
        );
      return { token: await makeStackToken(leader, stackPolicy), clusterId: cluster_id };
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 403) throw error;
      throw new CommandError(
        `Vault does not take this token, or it may not write policies and make orphans: ${error.message}. It is the root token that is wanted, as its holder has decrypted it, or an administrator's login. The stack goes on as before.`,
      );
    }
  });
  await withLeader(rotating, token, prove);
  // Read anew: an update may have been at work meanwhile.
  const { token: former, ...keys } = await heldByPeople(stack, stackDir);
  const now = new Date().toISOString();
  await writeKeys(stackDir, {
    ...keys,
    token,
    ...(clusterId !== undefined && { custody: { clusterId, provedAt: now } }),
    // The state has had the first one from the step that waits for it.
    ...(former !== undefined && { changedAt: now }),
  });
  if (former !== undefined) await revoke(former);
  return { policy: stackPolicy, replaces: former !== undefined };

  async function revoke(former: string): Promise<void> {
    await withLeader(rotating, undefined, async ({ node }) => {
      const own = new Vault(road, node, { signal }, former);
      await own
        .revokeSelf()
        .catch((error) => {
          if (!(error instanceof VaultError) || error.status !== 403) throw error;
        })
        .finally(() => own.close());
    });
  }
}

async function prove(leader: Vault): Promise<void> {
  const missing = await lacking(leader, stackRules);
  await leader.autopilotState();
  if (missing.length === 0) return;
  throw new CommandError(
    `The stack's token may not do all that its steps need; nothing of it is kept.\n  ${missing.join("\n  ")}`,
  );
}
