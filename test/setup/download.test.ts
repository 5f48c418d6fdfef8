import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DownloadOptions, download } from "../../setup/download.ts";
import { type HttpSource, playSource } from "./http-source.ts";

const program = randomBytes(200_000);
const checksum = createHash("sha256").update(program).digest("hex");

describe("download of a program", () => {
  let folder: string;
  let source: HttpSource | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
  });
  afterEach(async () => {
    await source?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Plays a source whose program is answered by `serve` (called with the number of the try). */
  async function from(
    serve: (attempt: number, request: IncomingMessage, response: ServerResponse) => void,
    { sum = `${checksum}  kind-linux-amd64\n`, ...options }: DownloadOptions & { sum?: string } = {},
  ) {
    let attempt = 0;
    source = await playSource((request, response) => {
      if (request.url === "/kind.sha256sum") response.end(sum);
      else serve(++attempt, request, response);
    });
    const what = {
      url: `${source.url}/kind`,
      checksumUrl: `${source.url}/kind.sha256sum`,
      to: join(folder, "kind"),
    };
    await download(what, { waitMs: 10, retries: 2, stallMs: 200, ...options });
  }
  const good = (response: ServerResponse) =>
    response.setHeader("content-length", program.length).end(program);
  const left = () => readdirSync(folder);

  it("keeps a file that has the published checksum, executable, and says how far it is", async () => {
    const seen: [number, number | undefined][] = [];
    await from((_, __, response) => good(response), { onProgress: (...at) => seen.push(at) });
    assert.deepEqual(readFileSync(join(folder, "kind")), program);
    assert.equal(statSync(join(folder, "kind")).mode & 0o777, 0o755);
    assert.deepEqual(seen.at(-1), [program.length, program.length]);
    assert.deepEqual(left(), ["kind"]);
  });

  it("does not ask again for what it has", async () => {
    await from((_, __, response) => good(response));
    const { url } = source as HttpSource;
    const before = source?.asked.length;
    await download({ url: `${url}/kind`, checksumUrl: `${url}/kind.sha256sum`, to: join(folder, "kind") });
    assert.equal(source?.asked.length, before);
  });

  it("takes a checksum file that holds the sum alone, as kubectl's does", async () => {
    await from((_, __, response) => good(response), { sum: checksum });
    assert.deepEqual(left(), ["kind"]);
  });

  it("refuses a wrong checksum at once, names both sums, and keeps nothing", async () => {
    const wrong = "0".repeat(64);
    await assert.rejects(
      from((_, __, response) => good(response), { sum: wrong }),
      (error: Error) => error.message.includes(checksum) && error.message.includes(wrong),
    );
    assert.equal(source?.asked.filter((path) => path === "/kind").length, 1);
    assert.deepEqual(left(), []);
  });

  it("refuses a page where the checksum should be", async () => {
    await assert.rejects(
      from((_, __, response) => good(response), { sum: "<html>Sign in</html>" }),
      /kind\.sha256sum: no SHA-256 there, found "<html>Sign in/,
    );
    assert.deepEqual(left(), []);
  });

  it("names the address of a file that does not exist, and does not try it again", async () => {
    await assert.rejects(
      from((_, __, response) => response.writeHead(404).end()),
      /http:\/\/127.*\/kind: answers 404; there is no such file/,
    );
    assert.equal(source?.asked.filter((path) => path === "/kind").length, 1);
  });

  it("tries again after a connection that was cut in the middle", async () => {
    await from((attempt, _, response) => {
      if (attempt > 1) return good(response);
      response.setHeader("content-length", program.length).write(program.subarray(0, 100_000), () => {
        response.destroy();
      });
    });
    assert.deepEqual(readFileSync(join(folder, "kind")), program);
    assert.deepEqual(left(), ["kind"]);
  });

  it("tries again after a server's error, and in the end says how often", async () => {
    await assert.rejects(
      from((_, __, response) => response.writeHead(503).end()),
      /\/kind: answers 503; tried 3 times/,
    );
    assert.equal(source?.asked.filter((path) => path === "/kind").length, 3);
    assert.deepEqual(left(), []);
  });

  it("has patience with a slow source: the whole takes longer than the limit for silence", async () => {
    const started = Date.now();
    await from((_, __, response) => {
      response.setHeader("content-length", program.length);
      let sent = 0;
      const timer = setInterval(() => {
        response.write(program.subarray(sent, sent + 20_000));
        sent += 20_000;
        if (sent >= program.length) {
          clearInterval(timer);
          response.end();
        }
      }, 50);
    });
    assert.ok(Date.now() - started > 400);
    assert.deepEqual(readFileSync(join(folder, "kind")), program);
  });

  it("gives up on a source that falls silent", async () => {
    await assert.rejects(
      from((_, __, response) => response.setHeader("content-length", 10).write("x"), { retries: 1 }),
      /\/kind: no byte for 0\.2 s; tried 2 times/,
    );
    assert.deepEqual(left(), []);
  });
});
