import { stat } from "node:fs/promises";
import { keysPath } from "../../../steps/lib/keys-file.ts";
import { stackLockHolder } from "../../../steps/lib/stack-lock.ts";
import { type Answer, ask } from "../../views/answer.ts";

/** What this machine's files say of a stack. */
export interface Files {
  journal: { path: string; mode?: number };
  /** Pulumi's locks, each in words: of dead processes, and held ones. */
  locks: Answer<{ dead: string[]; held: string[] }>;
  /** The step that is at work, in words. */
  step: Answer<string | undefined>;
}

/** Looks at the files. Never throws. */
export async function filesOf(
  stackDir: string,
  locks: () => { dead: string[]; held: string[] },
): Promise<Files> {
  const path = keysPath(stackDir);
  const mode = await stat(path).then(
    ({ mode }) => mode & 0o777,
    () => undefined,
  );
  return {
    journal: { path, ...(mode !== undefined && { mode }) },
    locks: await ask(locks),
    step: await ask(() => stackLockHolder(stackDir)),
  };
}
