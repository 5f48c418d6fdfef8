/** Saves a snapshot of a Vault: the file, checked, and beside it what the file itself does not say. */
import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StepError, words } from "./errors.ts";
import { readSnapshot, type SnapshotFacts } from "./snapshot-file.ts";
import { type SnapshotRecord, writeRecord } from "./snapshot-record.ts";
import type { Vault } from "./vault.ts";
import { VaultError } from "./vault-error.ts";
import type { Waiting } from "./wait.ts";
import { renameWhole } from "./whole-file.ts";

/** The longest that nothing may come or go while a snapshot is on its way, in milliseconds. */
const idleMs = 60_000;

/** A snapshot that was saved. */
export interface Saved extends SnapshotFacts {
  file: string;
  record: SnapshotRecord;
}

/**
 * Saves a snapshot from the node that leads; a standby would send its client to the leader's own address. It is written
 * under a temporary name (0600), read as a whole, and only then given its own.
 * @param to the folder, where it is named by stack, time and raft index, or `{ file }`
 * @throws StepError where it did not come whole. Nothing is left of it then.
 */
export async function saveSnapshot(
  leader: Vault,
  to: string | { file: string },
  stack: string,
  step: Pick<Waiting, "say" | "signal">,
): Promise<Saved> {
  const { cluster_id: clusterId, version: vaultVersion } = await leader.sealStatus();
  const marker = randomUUID();
  // Read back after a restore: that, and no other state, has come back.
  await leader.write(markerName, marker);
  const savedAt = new Date().toISOString();
  const folder = typeof to === "string" ? to : dirname(to.file);
  if (typeof to === "string") await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${stack}-${process.pid}-${marker}.tmp`);
  try {
    await receive(leader, temporary, step);
    const facts = await readSnapshot(temporary);
    const time = savedAt.slice(0, 19).replaceAll(/[-:]/g, "");
    const file = typeof to === "string" ? join(folder, `${stack}-${time}Z-${facts.index}.snap`) : to.file;
    const { size, sha256, index, term } = facts;
    const record: SnapshotRecord = {
      version: 1,
      ...{ stack, clusterId, savedAt, vaultVersion, index, term, size, sha256, marker },
    };
    await writeRecord(file, record);
    await renameWhole(temporary, file);
    step.say(
      `${file}: ${size} bytes, raft index ${index}, ${facts.entries} entries, its checksums are right`,
    );
    return { ...facts, file, record };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Where, in the token's own cubbyhole, the marker of the newest snapshot is. */
export const markerName = "vault-ha-snapshot";

async function receive(leader: Vault, path: string, { signal }: Pick<Waiting, "signal">): Promise<void> {
  const file = await open(path, "wx", 0o600);
  const idle = new Idle();
  try {
    const answer = await leader.stream("GET", "sys/storage/raft/snapshot", idle.signal);
    const write = (chunks: AsyncIterable<Buffer>) => file.writeFile(chunks);
    await pipeline(answer, idle.watch(), write, { signal: AbortSignal.any([signal, idle.signal]) });
    await file.sync();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof VaultError) throw error;
    throw new StepError(
      `the snapshot of ${leader.node} did not come whole: ${idle.signal.aborted ? words(idle.signal.reason) : words(error)}`,
    );
  } finally {
    idle.end();
    await file.close();
  }
}

/** Sends a snapshot to the node that leads, which then takes it up in the background. */
export async function sendSnapshot(
  leader: Vault,
  path: string,
  { force }: { force: boolean },
): Promise<void> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const idle = new Idle();
    const stream = file.createReadStream({ autoClose: false }).pipe(idle.watch());
    const path = `sys/storage/raft/snapshot${force ? "-force" : ""}`;
    try {
      const answer = await leader.stream("POST", path, idle.signal, { stream, size });
      // Vault may end its answer only when the snapshot is in place, and other calls want the connection.
      answer.destroy();
    } finally {
      idle.end();
    }
  } finally {
    await file.close();
  }
}

/** Notices where nothing moves any more. */
class Idle {
  readonly #stop = new AbortController();
  readonly signal = this.#stop.signal;
  readonly #timer = setTimeout(
    () => this.#stop.abort(new Error(`nothing moved for ${idleMs / 1000} s`)),
    idleMs,
  );

  /** What is to move passes through this. */
  watch(): Transform {
    return new Transform({
      transform: (chunk, _encoding, done) => {
        this.#timer.refresh();
        done(null, chunk);
      },
    });
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
