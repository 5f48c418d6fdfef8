/** Tests that are left out where what they need cannot be had. Whatever else is skipped counts as failed. */
import { spawnSync } from "node:child_process";
import { loadSources } from "../../sources.ts";

/** What such a test's title ends with, why it is left out, and whether it has to be, here. */
const conditions = {
  "(as root)": { why: "this is not root", lacking: () => process.getuid?.() !== 0 },
  "(with Vault's own UI)": {
    why: "the Vault that a closed network builds carries no UI",
    lacking: () => loadSources().images === "closed",
  },
  "(with jq)": {
    why: "this machine has no jq",
    lacking: () => spawnSync("jq", ["--version"]).error !== undefined,
  },
  "(with gpg)": {
    why: "this machine has no gpg",
    lacking: () => spawnSync("gpg", ["--version"]).error !== undefined,
  },
} as const;
type Condition = keyof typeof conditions;

/** `it`, for a test whose title ends with this condition. */
export function itWhere(condition: Condition): Mocha.TestFunction | Mocha.PendingTestFunction {
  return conditions[condition].lacking() ? it.skip : it;
}

/** Why a test of this title is left out here; undefined for one that has to run. */
export function whyLeftOut(title: string): string | undefined {
  return Object.entries(conditions).find(([words, { lacking }]) => title.includes(words) && lacking())?.[1]
    .why;
}
