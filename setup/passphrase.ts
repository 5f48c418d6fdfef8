import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes the passphrase file (mode 0600) that encrypts the stacks' secrets, if it is not there.
 * Throws where stacks exist that were encrypted with one that is gone: a new one would not open them.
 */
export function makePassphrase(file: string, stateFolder: string): void {
  if (existsSync(file)) return;
  const stacks = stacksIn(stateFolder);
  if (stacks.length > 0) {
    throw new Error(
      `${file} is gone, and the secrets of ${stacks.join(", ")} in ${stateFolder} open with nothing else.\n` +
        `Put it back from a copy. If nothing of these stacks is needed any more: rm -r ${stateFolder}`,
    );
  }
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${randomBytes(32).toString("base64url")}\n`, {
    mode: 0o600,
    flag: "wx",
    flush: true,
  });
  try {
    // A link fails where a rename would replace: of two that start at once, one passphrase stays.
    linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Names of the stacks in a Pulumi file backend's folder, as `project/stack`. */
function stacksIn(stateFolder: string): string[] {
  const folder = join(stateFolder, ".pulumi/stacks");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length));
}
