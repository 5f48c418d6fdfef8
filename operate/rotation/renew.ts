import { words } from "../../steps/lib/errors.ts";
import { type Keys, readKeys } from "../../steps/lib/keys-file.ts";
import { renewSelf } from "./root-api.ts";
import { type Rotating, withLeader } from "./rotating.ts";

/**
 * Has a token of least privilege be good for a whole period again; does nothing where the stack has a root token. Where
 * that fails it says so, and the work that was asked for stands.
 * @returns for how many seconds it is good
 */
export async function renewStackToken(rotating: Rotating): Promise<number | undefined> {
  const keys = await readKeys(rotating.stackDir);
  const token = ownToken(keys);
  if (token === undefined) return undefined;
  try {
    return await withLeader(rotating, token, renewSelf);
  } catch (error) {
    rotating.say(
      `the stack's token could not be renewed: ${words(error)}\nNext: npm run ${keys?.pgp ? "custody token" : "root generate"} -- --stack ${rotating.stack}`,
    );
    return undefined;
  }
}

/** The stack's token where it is one of least privilege, which ends by itself; undefined where it is a root token. */
export function ownToken(keys: Keys | undefined): string | undefined {
  return keys?.token ?? (keys?.rootRevoked && keys.answer?.rootToken);
}
