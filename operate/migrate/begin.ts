/** The point from which a migration goes on: its keys are proved and written down, and how it was is noted. */

import type { Stack } from "../../setup/stack.ts";
import { writeKeys } from "../../steps/lib/keys-file.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { Place } from "../adopt/found.ts";
import type { GivenKeys } from "../adopt/given-keys.ts";
import { proveShares, revoke } from "../adopt/prove-shares.ts";
import { copyNotes } from "../adopt/take-over.ts";
import { type Examined, refuse } from "./examine.ts";
import { pod } from "./found.ts";
import { auditProblems } from "./problems.ts";
import { type Record, writeRecord } from "./record.ts";

/**
 * Proves the shares at the Standalone, which stays unsealed, and writes them down.
 * @throws CommandError where they are wrong, or its audit log could not be written by the stack's nodes
 */
export async function beginKeepingData(
  stack: Stack,
  { found, road, settings }: Examined,
  given: GivenKeys & { threshold: number },
  audits: boolean,
  place: Place,
): Promise<Record> {
  const { namespace, signal } = place;
  const withToken = (token: string | undefined) => new Vault(road, pod, { signal }, token);
  const { rootToken, made } = await proveShares(withToken, given);
  const client = withToken(rootToken);
  const devices = await client.auditDevices().finally(() => client.close());
  const problems = auditProblems(devices, { stack: stack.name, namespace, audits });
  if (problems.length > 0 && made) await revoke(withToken(rootToken));
  refuse(problems);
  const now = new Date().toISOString();
  const { shares, threshold } = given;
  await writeKeys(stack.dir, {
    version: 1,
    stack: stack.name,
    pod,
    ...(found.claim !== undefined && { pvcUid: found.claim }),
    intendedAt: now,
    threshold,
    // When it was initialised is not known.
    answer: { shares, rootToken, initialisedAt: now },
    adoptedAt: now,
  });
  return await note(stack, { found, settings }, "keep data", place);
}

/** Notes how it was, and the way that is gone. */
export async function note(
  stack: Stack,
  { found: { set, release }, settings }: Pick<Examined, "found" | "settings">,
  way: Record["way"],
  place: Place,
): Promise<Record> {
  if (set === undefined) throw new Error("there is no StatefulSet");
  await copyNotes(stack, place, release?.secrets ?? []);
  const record: Record = { version: 1, way, namespace: place.namespace, set, settings, reached: "begun" };
  await writeRecord(stack.dir, record);
  return record;
}
