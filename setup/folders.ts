import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's folder, with a slash at its end left off. */
export const checkout = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** What a run makes in the checkout: git ignores it, only its owner reads it. */
export const local = {
  root: join(checkout, ".local"),
  bin: join(checkout, ".local/bin"),
  logs: join(checkout, ".local/logs"),
  passphrase: join(checkout, ".local/passphrase"),
  pulumiHome: join(checkout, ".local/pulumi-home"),
  reach: join(checkout, ".local/reach.json"),
  sources: join(checkout, ".local/sources.json"),
  stacks: join(checkout, ".local/stacks"),
  state: join(checkout, ".local/state"),
  tools: join(checkout, ".local/tools.json"),
} as const;

/** Makes the folders of `.local`, closed to other users. */
export function makeLocalFolders(): void {
  mkdirSync(local.root, { recursive: true, mode: 0o700 });
  chmodSync(local.root, 0o700);
  for (const folder of [local.bin, local.logs, local.pulumiHome, local.stacks, local.state]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}
