import { takeStackLock } from "../../steps/lib/stack-lock.ts";
import type { Target } from "../../steps/lib/target.ts";
import { within } from "../../steps/lib/wait.ts";
import { openVault } from "../open-vault.ts";
import type { Rotating } from "./rotating.ts";

/** How long it waits for a step that works on the stack, and for a node that leads, in seconds. */
const waitSeconds = 30;

/**
 * Opens a stack's Vault for a change of its keys.
 * @param changes whether the stack is to be locked, and what for
 */
export async function openRotating(
  name: string,
  changes: string | undefined,
): Promise<Rotating & Pick<Target, "reach">> {
  const { stack, target, road, pods } = await openVault(name);
  const say = (line: string) => console.error(line);
  // Nothing that changes keys is cut in two: the commands hold an interrupt back until it has ended.
  const { signal } = new AbortController();
  if (changes !== undefined) {
    stack.unlock(say);
    await takeStackLock(stack.dir, changes, within({ say, signal }, waitSeconds));
  }
  const { stackDir, reach } = target;
  return { stack: name, stackDir, reach, road, pods, say, signal, timeoutSeconds: waitSeconds };
}
