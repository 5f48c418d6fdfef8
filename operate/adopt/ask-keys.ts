import { askUnseen } from "../ask-unseen.ts";
import type { GivenKeys } from "./given-keys.ts";

/**
 * Asks somebody at a terminal for so many shares as unseal the Vault, and for a token. Nothing that is typed is shown.
 * @throws CommandError where it is left (Ctrl-C, Ctrl-D)
 */
export async function askKeys(
  threshold: number,
  input?: NodeJS.ReadableStream,
  output?: { write(text: string): unknown },
): Promise<GivenKeys> {
  const asking = async (ask: (question: string) => Promise<string>): Promise<GivenKeys> => {
    const shares: string[] = [];
    while (shares.length < threshold) {
      const share = await ask(`Share ${shares.length + 1} of ${threshold} (it is not shown): `);
      if (share !== "") shares.push(share);
    }
    const token = await ask("Root token, if there is one that is good (else Enter): ");
    return { shares, threshold: undefined, rootToken: token || undefined };
  };
  return await askUnseen(asking, input, output);
}
