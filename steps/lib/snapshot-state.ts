import { z } from "zod";

/** Where Vault writes how it is sealed: plain JSON, since it is wanted before anything is opened (vault/seal.go). */
const sealKey = "core/seal-config";
const Seal = z
  .object({ type: z.string(), secret_shares: z.number(), secret_threshold: z.number() })
  .transform(({ type, secret_shares: shares, secret_threshold: threshold }) => ({ type, shares, threshold }));
export type Seal = z.output<typeof Seal>;

/** What is read of a state. */
export interface State {
  entries: number;
  /** The newest version of Vault that has used the storage. */
  vaultVersion: string | undefined;
  /** How Vault is sealed, as it was then. */
  seal: Seal | undefined;
}

/** Where Vault writes which versions have used a storage: core/versions/1.21.1 (vault/version_store.go). */
const versionKey = /^core\/versions\/(\d+\.\d+\.\d+\S*)$/;

/**
 * Reads the names of the entries in a snapshot's state.bin, piece by piece: protobuf messages, each behind its length,
 * whose field 1 is the name and field 2 the content (StorageEntry of Vault's sdk/plugin/pb). What they hold is
 * encrypted, but for the seal's configuration, and is passed over.
 */
export class StateKeys {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present message that are still to come. */
  #skip = 0;
  #entries = 0;
  #versions: string[] = [];
  #seal: Seal | undefined;

  push(chunk: Buffer): void {
    const from = Math.min(this.#skip, chunk.length);
    this.#skip -= from;
    if (from === chunk.length) return;
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk.subarray(from);
    for (let begin = readBegin(bytes); begin !== undefined; begin = readBegin(bytes)) {
      this.#entries++;
      const version = versionKey.exec(begin.name)?.[1];
      if (version !== undefined) this.#versions.push(version);
      if (begin.name === sealKey) this.#seal = sealOf(bytes.subarray(0, begin.end));
      this.#skip = Math.max(0, begin.end - bytes.length);
      bytes = bytes.subarray(Math.min(begin.end, bytes.length));
    }
    this.#rest = Buffer.from(bytes);
  }

  /** Throws where the last message is not whole. */
  end(): State {
    if (this.#skip > 0 || this.#rest.length > 0) throw new Error("its state ends in the middle of an entry");
    const vaultVersion = this.#versions.sort(byNumber).at(-1);
    return { entries: this.#entries, vaultVersion, seal: this.#seal };
  }
}

const byNumber = (one: string, other: string) => one.localeCompare(other, "en", { numeric: true });

/** The name of the message that these bytes begin with, and where it ends; undefined where that is not there yet. */
function readBegin(bytes: Buffer): { name: string; end: number } | undefined {
  const length = varint(bytes, 0);
  if (length === undefined) return undefined;
  const end = length.after + length.value;
  if (length.value === 0) return { name: "", end };
  const tag = bytes[length.after];
  if (tag === undefined) return undefined;
  // Field 1, a text. One that begins otherwise has no name.
  if (tag !== 0x0a) return { name: "", end };
  const name = varint(bytes, length.after + 1);
  if (name === undefined || bytes.length < name.after + name.value) return undefined;
  const read = { name: bytes.toString("utf8", name.after, name.after + name.value), end };
  return read.name === sealKey && bytes.length < end ? undefined : read;
}

/** The seal's configuration in its whole message; undefined where it is none that is known. */
function sealOf(message: Buffer): Seal | undefined {
  const text = message.toString("utf8");
  try {
    return Seal.parse(JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)));
  } catch {
    return undefined;
  }
}

function varint(bytes: Buffer, at: number): { value: number; after: number } | undefined {
  let value = 0;
  for (let n = 0; n < 5; n++) {
    const byte = bytes[at + n];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * n);
    if (byte < 0x80) return { value, after: at + n + 1 };
  }
  throw new Error("its state is none of Vault's");
}
