import { type Keys, readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { heldKeys, type Rotating, withLeader } from "./rotating.ts";

/**
 * Revokes the token whose place another has taken, and everything that was made with it. One that is gone already is as
 * good: a run that was cut off may have done it.
 */
export async function finishRetiring(rotating: Rotating): Promise<void> {
  const { retiring } = await heldKeys(rotating);
  if (retiring === undefined) return;
  await withLeader(rotating, retiring, async (leader) => {
    await leader.revokeSelf().catch((error) => {
      if (!(error instanceof VaultError) || error.status !== 403) throw error;
    });
  });
  const { retiring: _, ...keys } = (await readKeys(rotating.stackDir)) as Keys;
  await writeKeys(rotating.stackDir, keys);
  rotating.say("the token of before is revoked");
}
