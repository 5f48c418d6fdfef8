import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import pRetry, { AbortError } from "p-retry";

/** A program to download, with the checksum that its makers publish beside it. */
export interface Download {
  url: string;
  /** Address of a text that begins with, or is, the SHA-256 in hex. */
  checksumUrl: string;
  /** Absolute path that the checked file gets; one that is there already was checked then. */
  to: string;
}

export interface DownloadOptions {
  /** Bytes so far, and of how many where the source says so. */
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** A connection that gives no byte for this long is cut. Slow is no error; silent is. */
  stallMs?: number;
  /** Tries after the first, for a connection that was cut or a server's error. */
  retries?: number;
  /** Wait before the second try; it doubles from try to try. */
  waitMs?: number;
  signal?: AbortSignal;
}

/**
 * Downloads a program, checks it, and only then gives it its name, executable. Throws an Error that
 * names the address and what was found there: no such file, another checksum, or the last failure.
 */
export async function download(what: Download, options: DownloadOptions = {}): Promise<void> {
  if (existsSync(what.to)) return;
  mkdirSync(dirname(what.to), { recursive: true });
  const part = `${what.to}.${process.pid}.part`;
  const { retries = 3, waitMs = 1_000, signal } = options;
  try {
    await pRetry(() => attempt(what, part, options), {
      retries,
      minTimeout: waitMs,
      ...(signal ? { signal } : {}),
      onFailedAttempt: ({ error, retriesLeft }) => {
        if (retriesLeft === 0) error.message += `; tried ${retries + 1} times`;
      },
    });
    renameSync(part, what.to);
  } finally {
    rmSync(part, { force: true });
  }
}

async function attempt(what: Download, part: string, options: DownloadOptions): Promise<void> {
  const wanted = await publishedChecksum(what.checksumUrl, options);
  const hash = createHash("sha256");
  await get(what.url, options, async (body, total) => {
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of body) {
        hash.update(chunk);
        bytes += chunk.length;
        options.onProgress?.(bytes, total);
        yield chunk;
      }
    };
    await pipeline(counted, createWriteStream(part, { mode: 0o755 }));
    if (total !== undefined && bytes < total) throw new Error(`cut off after ${bytes} of ${total} bytes`);
  });
  const found = hash.digest("hex");
  if (found !== wanted) {
    throw new AbortError(
      `${what.url}: its SHA-256 is ${found}, ${what.checksumUrl} says ${wanted}.\n` +
        "Nothing was installed. Something between here and there changes the file, or it was damaged; try again, or install the program yourself so that it is on PATH.",
    );
  }
}

async function publishedChecksum(url: string, options: DownloadOptions): Promise<string> {
  let text = "";
  await get(url, options, async (body) => {
    for await (const chunk of body) text += chunk;
  });
  const found = /^\s*([0-9a-f]{64})\b/i.exec(text)?.[1];
  if (!found) throw new AbortError(`${url}: no SHA-256 there, found "${text.slice(0, 60).trim()}"`);
  return found.toLowerCase();
}

/** Fetches an address and hands its body over, watched for silence. */
async function get(
  url: string,
  { stallMs = 30_000, signal }: DownloadOptions,
  read: (body: AsyncIterable<Buffer>, total: number | undefined) => Promise<void>,
): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  try {
    const response = await fetch(url, {
      signal: signal ? AbortSignal.any([stalled.signal, signal]) : stalled.signal,
    });
    if (response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status)) {
      throw new AbortError(`${url}: answers ${response.status}; there is no such file for this program`);
    }
    if (!response.ok || !response.body) throw new Error(`answers ${response.status}`);
    const length = response.headers.get("content-length");
    await read(watched(response.body, timer), length === null ? undefined : Number(length));
  } catch (error) {
    if (error instanceof AbortError || signal?.aborted) throw error;
    const silent = `no byte for ${stallMs / 1000} s`;
    // A plain Error: p-retry takes some of fetch's own TypeErrors for mistakes in the program.
    throw new Error(`${url}: ${stalled.signal.aborted ? silent : reason(error as Error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The body's chunks; each one starts the timer anew. */
async function* watched(body: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    timer.refresh();
    yield Buffer.from(chunk);
  }
}

function reason(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause ? `${error.message} (${cause.code ?? cause.message})` : error.message;
}
