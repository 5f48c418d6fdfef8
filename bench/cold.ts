/** The set-up in a fresh clone on an empty cache, part by part, and a second time when nothing is to do. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { checkout } from "../setup/folders.ts";
import { type Figure, seconds } from "./timing.ts";

/** What the store writes beside each part it made. */
const Made = z.object({ says: z.string(), seconds: z.number() });

/** What is committed counts: the clone has nothing else. Takes about half an hour on two cores on a closed network. */
export async function benchCold(say: (line: string) => void): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "vault-ha-cold-"));
  const clone = join(folder, "checkout");
  const cache = join(folder, "cache");
  const setup = () =>
    execa("npm", ["run", "setup"], {
      cwd: clone,
      env: { VAULT_HA_CACHE: cache },
      stderr: "inherit",
      stdout: "ignore",
    });
  try {
    await execa("git", ["clone", "--quiet", checkout, clone]);
    say("cold: npm run setup in a fresh clone, on an empty cache");
    const cold = await seconds(setup);
    say("warm: the same again");
    const warm = await seconds(setup);
    return [
      { what: "set-up, cold", values: [cold], unit: "s", bar: 30 * 60 },
      { what: "set-up, warm", values: [warm], unit: "s", bar: 5 },
      ...partsMade(join(cache, "store")).map(
        ({ says, seconds }): Figure => ({ what: says, values: [seconds], unit: "s" }),
      ),
    ];
  } finally {
    // Go's module cache is read-only on purpose.
    await execa("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true });
  }
}

/** The parts in the store with the time each took to make, the longest first. */
function partsMade(store: string): z.output<typeof Made>[] {
  return readdirSync(store)
    .filter((file) => file.endsWith(".json"))
    .map((file) => Made.parse(JSON.parse(readFileSync(join(store, file), "utf8"))))
    .sort((a, b) => b.seconds - a.seconds);
}
