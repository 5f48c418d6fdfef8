import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decideWays, REMEMBER_MS, readNetwork, type Source, tryAll } from "../../setup/reach.ts";
import { type HttpSource, playSource } from "./http-source.ts";

describe("reachability of the official sources", () => {
  let folder: string;
  let open: HttpSource;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    open = await playSource((request, response) => {
      if (request.url === "/hang") return;
      if (request.url === "/v2/") response.writeHead(401, { "www-authenticate": "Bearer realm=x" });
      else response.writeHead(Number(request.url?.slice(1)));
      response.end();
    });
  });
  after(async () => {
    await open.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const sources = (pulumi: string, images: Omit<Source, "group"> = { url: `${open.url}/200` }): Source[] => [
    { group: "pulumi", url: pulumi },
    { group: "kubernetes", url: `${open.url}/200` },
    { group: "images", ...images },
  ];

  it("takes a source that gives its file for reachable", async () => {
    assert.equal((await tryAll(sources(`${open.url}/200`))).pulumi.reachable, true);
  });

  it("takes a registry that asks for a token for reachable, and a proxy that asks for one not", async () => {
    const registry = sources(`${open.url}/v2/`, { url: `${open.url}/v2/`, registry: true });
    const { images, pulumi } = await tryAll(registry);
    assert.equal(images.reachable, true);
    assert.deepEqual(pulumi, { reachable: false, reason: `${new URL(open.url).host} answers 401` });
  });

  it("takes a proxy that wants a password for closed", async () => {
    const { pulumi } = await tryAll(sources(`${open.url}/407`));
    assert.equal(pulumi.reachable, false);
    assert.match(pulumi.reason, /cannot be reached/);
  });

  for (const status of [403, 502]) {
    it(`takes a proxy's ${status} for closed`, async () => {
      const { pulumi } = await tryAll(sources(`${open.url}/${status}`));
      assert.equal(pulumi.reachable, false);
      assert.match(pulumi.reason, new RegExp(`answers ${status}$`));
    });
  }

  it("takes a refused connection for closed, without touching the other groups", async () => {
    const gone = await playSource(() => {});
    await gone.close();
    const found = await tryAll(sources(gone.url));
    assert.match(found.pulumi.reason, /^127\.0\.0\.1:\d+ refuses the connection$/);
    assert.equal(found.kubernetes.reachable, true);
    assert.equal(found.images.reachable, true);
  });

  it("takes a name that nobody knows for closed", async () => {
    const { pulumi } = await tryAll(sources("https://name.invalid/file"));
    assert.equal(pulumi.reachable, false);
    assert.match(pulumi.reason, /^name\.invalid /);
  });

  it("waits for a source that hangs no longer than the limit", async () => {
    const started = Date.now();
    const { pulumi } = await tryAll(sources(`${open.url}/hang`), 300);
    assert.match(pulumi.reason, /gives no answer within 0\.3 s$/);
    assert.ok(Date.now() - started < 1_500);
  });

  it("remembers what it found for an hour, and then tries again", async () => {
    const file = join(folder, "reach.json");
    const now = 1_700_000_000_000;
    const closed = { file, sources: sources(`${open.url}/502`), now };
    assert.equal((await decideWays("auto", closed)).pulumi.way, "closed");
    const asked = open.asked.length;
    const soon = { file, sources: sources(`${open.url}/200`), now: now + REMEMBER_MS - 1 };
    const remembered = await decideWays("auto", soon);
    assert.equal(remembered.pulumi.way, "closed");
    assert.match(remembered.pulumi.reason, /answers 502 \(tried 60 min ago\)$/);
    assert.equal(open.asked.length, asked);
    const late = await decideWays("auto", { ...soon, now: now + REMEMBER_MS });
    assert.equal(late.pulumi.way, "official");
  });

  it("tries nothing where the way is forced", async () => {
    const asked = open.asked.length;
    const file = join(folder, "none.json");
    const ways = await decideWays("official", { file, sources: sources(`${open.url}/502`) });
    assert.deepEqual(
      Object.values(ways).map(({ way }) => way),
      ["official", "official", "official"],
    );
    assert.equal(open.asked.length, asked);
  });

  it("reads the flag before the variable, and refuses another word", () => {
    assert.equal(readNetwork("official", { VAULT_HA_NETWORK: "closed" }), "official");
    assert.equal(readNetwork(undefined, { VAULT_HA_NETWORK: "closed" }), "closed");
    assert.equal(readNetwork(undefined, {}), "auto");
    assert.throws(() => readNetwork(undefined, { VAULT_HA_NETWORK: "offline" }), /found "offline"/);
  });
});
