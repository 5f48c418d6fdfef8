/** Makes a root token from the shares, and has it be the stack's. */
import { generateRoot as generate } from "../adopt/prove-shares.ts";
import { finishRetiring } from "./retire.ts";
import { heldKeys, type Rotating, replaceKeys, withLeader } from "./rotating.ts";

/**
 * The new token is in the journal before the one of before is revoked. Cut off in between, the same command revokes it.
 * @param token what Vault is asked with where the stack's own is not good any more; from 2.0 on Vault wants one
 * @returns the file of the former keys
 */
export async function generateRoot(rotating: Rotating, token?: string): Promise<{ former: string }> {
  await finishRetiring(rotating);
  const keys = await heldKeys(rotating);
  const { answer, threshold, rootRevoked: _, ...rest } = keys;
  const rootToken = await withLeader(rotating, token ?? answer.rootToken, (leader) =>
    generate(leader, answer.shares.slice(0, threshold)),
  );
  const former = await replaceKeys(rotating, keys, {
    ...rest,
    threshold,
    answer: { ...answer, rootToken },
    retiring: answer.rootToken,
  });
  await finishRetiring(rotating);
  return { former };
}
