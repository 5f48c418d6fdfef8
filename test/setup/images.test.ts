import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type Layer, packLayer, writeArchive } from "../../offline/images/archive.ts";
import { forDebianNginx } from "../../offline/images/ingress/template.ts";
import { closedSources } from "../../offline/images.ts";
import type { Log } from "../../offline/lib/part.ts";
import { nodeImageName } from "../../offline/node.ts";
import { loadSources } from "../../sources.ts";

describe("the images of the closed network", () => {
  let dir: string;
  let log: Log;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "vault-ha-images-"));
    log = { path: join(dir, "log"), write: () => {} };
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("are named in sources.json in the form that the program reads", async () => {
    const file = join(dir, "sources.json");
    await writeFile(file, JSON.stringify(closedSources()));
    const sources = loadSources(file);
    assert.equal(sources.images, "closed");
    assert.equal(sources.nodeImage, nodeImageName());
    assert.deepEqual(sources.vault.image, { repository: "hashicorp/vault", tag: "1.21.1" });
    assert.equal(sources.traefik.image, "vault-ha/traefik:v3.6.12");
    assert.equal(sources.rclone.image, "vault-ha/rclone:v1.75.1");
    assert.equal(sources.whoami.image, "vault-ha/whoami:1");
    const controller = sources.ingressNginx.values.controller as Record<string, unknown>;
    assert.deepEqual(controller.image, {
      repository: "docker.io/vault-ha/ingress-nginx-controller",
      tag: "v1.11.0",
      // The chart's own digest is that of the official image.
      digest: "",
      pullPolicy: "IfNotPresent",
    });
  });

  describe("as an archive", () => {
    const layer = async (name: string): Promise<Layer> => {
      const folder = join(dir, name);
      await mkdir(folder);
      await writeFile(join(folder, "file"), name);
      return packLayer(log, folder, join(dir, `${name}.tar`));
    };
    const listing = async (file: string) => (await execa("tar", ["-tf", file])).stdout.split("\n");

    it("hold a shared layer once, and name every image's layers from the lowest up", async () => {
      const [base, a, b] = [await layer("base"), await layer("a"), await layer("b")];
      const images = [
        { tags: ["example/a:1", "example/a:2"], layers: [base, a], config: { User: "101" } },
        { tags: ["example/b:1"], layers: [base, b], config: {} },
      ];
      const file = join(dir, "images.tar");
      const ids = await writeArchive(log, images, file);
      assert.equal((await listing(file)).filter((name) => name.endsWith(`${base.sha256}.tar`)).length, 1);

      await execa("tar", ["-xf", file, "-C", dir]);
      const read = async (name: string) => JSON.parse(await readFile(join(dir, name), "utf8"));
      const manifest = await read("manifest.json");
      assert.deepEqual(manifest[0].RepoTags, ["example/a:1", "example/a:2"]);
      assert.deepEqual(manifest[1].Layers, [`${base.sha256}.tar`, `${b.sha256}.tar`]);
      assert.deepEqual(
        manifest.map(({ Config }: { Config: string }) => `sha256:${Config.replace(".json", "")}`),
        ids,
      );
      const config = await read(manifest[0].Config);
      assert.deepEqual(config.rootfs.diff_ids, [`sha256:${base.sha256}`, `sha256:${a.sha256}`]);
      assert.deepEqual(config.config, { User: "101" });
      // An image is known by the digest of its configuration, a layer by its own.
      const named = [`${base.sha256}.tar`, manifest[0].Config];
      const { stdout } = await execa("sha256sum", named, { cwd: dir });
      for (const line of stdout.split("\n")) assert.match(line, /^([0-9a-f]{64}) {2}\1\.(tar|json)$/);
    });

    it("have the same layers whenever they are made", async () => {
      const first = await layer("same");
      await rm(join(dir, "same"), { recursive: true });
      await mkdir(join(dir, "later"));
      await writeFile(join(dir, "later/file"), "same");
      await utimes(join(dir, "later/file"), 1, 1);
      const second = await packLayer(log, join(dir, "later"), join(dir, "later.tar"));
      assert.equal(second.sha256, first.sha256);
    });
  });

  describe("of ingress-nginx", () => {
    const template = `# the template of v1.11.0 in small
pid {{ .PID }};
http {
            http2 on;
}
stream {
    lua_package_path "/etc/nginx/lua/?.lua;;";
    init_by_lua_block { tcp_udp_balancer }

    # Stream Snippets
    {{ range $snippet := .StreamSnippets }}
}
`;

    it("have a template that Debian's nginx can read", () => {
      const text = forDebianNginx(template);
      assert.match(text, /^pid \{\{ \.PID \}\};\n[\s\S]*^include \/etc\/nginx\/modules-enabled\/\*\.conf;$/m);
      assert.doesNotMatch(text, /http2 on|lua_package_path|tcp_udp_balancer/);
      assert.match(
        text,
        /stream \{[\s\S]*listen 127\.0\.0\.1:\{\{ \.StreamPort \}\};[\s\S]*# Stream Snippets\n/,
      );
    });

    for (const part of ["pid {{ .PID }};", "http2 on;", "# Stream Snippets"]) {
      it(`are not made from a template without "${part}"`, () => {
        assert.throws(() => forDebianNginx(template.replace(part, "")), /is not where it is in v1\.11\.0/);
      });
    }
  });
});
