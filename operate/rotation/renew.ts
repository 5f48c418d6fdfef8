import { words } from "../../steps/lib/errors.ts";
import { readKeys } from "../../steps/lib/keys-file.ts";
import { renewSelf } from "./root-api.ts";
import { type Rotating, withLeader } from "./rotating.ts";

/**
 * Has a token of least privilege be good for a whole period again; does nothing where the stack has a root token. Where
 * that fails it says so, and the work that was asked for stands.
 * @returns for how many seconds it is good
 */
export async function renewStackToken(rotating: Rotating): Promise<number | undefined> {
  const keys = await readKeys(rotating.stackDir);
  if (keys?.answer === undefined || keys.rootRevoked === undefined) return undefined;
  try {
    return await withLeader(rotating, keys.answer.rootToken, renewSelf);
  } catch (error) {
    rotating.say(
      `the stack's token could not be renewed: ${words(error)}\nNext: npm run root generate -- --stack ${rotating.stack}`,
    );
    return undefined;
  }
}
