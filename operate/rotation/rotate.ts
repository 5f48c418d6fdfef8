/** Has Vault encrypt with a new key what it stores from now on. */
import { keyStatus, rotateKey } from "./api.ts";
import { type Rotating, withLeader } from "./rotating.ts";

/** The term of the key before and after. */
export interface Rotated {
  before: { term: number; installedAt: string };
  after: { term: number; installedAt: string };
}

/**
 * Nothing is encrypted anew, nobody is interrupted, and the shares stay as they are.
 * @param change false: looks only
 */
export async function rotate(token: string, rotating: Rotating, change = true): Promise<Rotated> {
  return await withLeader(rotating, token, async (leader) => {
    const before = await keyStatus(leader);
    if (change) await rotateKey(leader);
    return { before, after: await keyStatus(leader) };
  });
}
