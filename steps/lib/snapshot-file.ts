/** What is in a snapshot of Raft, read without Vault and without keys. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { z } from "zod";
import { StepError, words } from "./errors.ts";
import { type Seal, StateKeys } from "./snapshot-state.ts";

/** What a snapshot says of itself. */
export interface SnapshotFacts {
  /** The file, in bytes, and its SHA-256. */
  size: number;
  sha256: string;
  /** The last entry of Raft's log that it holds, and in which term that was written. */
  index: number;
  term: number;
  /** The servers of the raft configuration. */
  servers: string[];
  /** How many entries of Vault's storage it holds. */
  entries: number;
  /** The Vault version that wrote it: the newest that the storage has seen. Absent where it says none. */
  vaultVersion?: string;
  /** How that Vault was sealed: the kind, and how many shares there were and are wanted. */
  seal?: Seal;
  /** Whether Vault has sealed its checksums: it then notices by itself a snapshot of other keys. */
  sealed: boolean;
}

/** Raft's own description of a snapshot: SnapshotMeta of hashicorp/raft. */
const Meta = z.object({
  Index: z.number().int().positive(),
  Term: z.number().int().positive(),
  Size: z.number().int().nonnegative(),
  Configuration: z.object({ Servers: z.array(z.object({ ID: z.string() })) }),
});

/** The largest part beside the state that is read: raft-snapshot reads no more either. */
const smallPart = 8192;

/**
 * Reads a snapshot as `sys/storage/raft/snapshot` gives it: a tar, packed by gzip, of meta.json, state.bin, SHA256SUMS
 * and SHA256SUMS.sealed (hashicorp/raft-snapshot). Both checksums are computed anew and compared.
 * @throws StepError where it is no snapshot, or not a whole one
 */
export async function readSnapshot(path: string): Promise<SnapshotFacts> {
  const file = createHash("sha256");
  let size = 0;
  const reading = new Archive();
  try {
    await pipeline(
      createReadStream(path),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          file.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      },
      createGunzip(),
      (chunks: AsyncIterable<Buffer>) => reading.read(chunks),
    );
    return { size, sha256: file.digest("hex"), ...reading.facts() };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new StepError(`there is no file ${path}`);
    throw new StepError(`${path} is not a whole snapshot of Vault: ${words(error)}`);
  }
}

/** The archive of a snapshot while it is read. */
class Archive {
  readonly #sums = new Map<string, string>();
  readonly #small = new Map<string, Buffer>();
  readonly #state = new StateKeys();

  async read(chunks: AsyncIterable<Buffer>): Promise<void> {
    const parser = new Parser({ strict: true });
    const ended = once(parser, "end");
    // Awaited below; an error that comes before must not end the process.
    ended.catch(() => {});
    parser.on("entry", (entry: ReadEntry) => this.#take(entry));
    for await (const chunk of chunks) if (!parser.write(chunk)) await once(parser, "drain");
    parser.end();
    await ended;
  }

  #take(entry: ReadEntry): void {
    const hash = createHash("sha256");
    const parts: Buffer[] = [];
    entry.on("data", (chunk: Buffer) => {
      hash.update(chunk);
      if (entry.path === "state.bin") this.#state.push(chunk);
      else if (entry.size <= smallPart) parts.push(Buffer.from(chunk));
    });
    entry.on("end", () => {
      this.#sums.set(entry.path, hash.digest("hex"));
      this.#small.set(entry.path, Buffer.concat(parts));
    });
  }

  facts(): Omit<SnapshotFacts, "size" | "sha256"> {
    const listed = new Map(
      this.#part("SHA256SUMS")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => [line.slice(66), line.slice(0, 64)]),
    );
    for (const name of ["meta.json", "state.bin"]) {
      const found = this.#sums.get(name);
      if (found === undefined) throw new Error(`it has no ${name}`);
      if (found !== listed.get(name)) throw new Error(`the checksum of ${name} in it is another one`);
    }
    const meta = Meta.parse(JSON.parse(this.#part("meta.json")));
    const { entries, vaultVersion, seal } = this.#state.end();
    return {
      index: meta.Index,
      term: meta.Term,
      servers: meta.Configuration.Servers.map(({ ID }) => ID),
      entries,
      ...(vaultVersion !== undefined && { vaultVersion }),
      ...(seal && { seal }),
      sealed: this.#small.has("SHA256SUMS.sealed"),
    };
  }

  #part(name: string): string {
    const part = this.#small.get(name);
    if (part === undefined) throw new Error(`it has no ${name}`);
    return part.toString("utf8");
  }
}
