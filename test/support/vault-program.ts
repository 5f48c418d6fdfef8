/** The vault program that the tests of the steps run: the one of the image that the stacks run. */
import { chmodSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { vault } from "../../offline/go.ts";
import { buildParts } from "../../offline/lib/build-parts.ts";
import { cacheDir } from "../../offline/lib/cache-dir.ts";
import { Store } from "../../offline/lib/store.ts";
import { loadSources } from "../../sources.ts";

/** The folder with `vault` in it, to be put on PATH. A `vault` on PATH may be of any version, so it is not taken. */
export async function vaultFolder(): Promise<string> {
  const { images, vault: source } = loadSources();
  if (images === "official") return await copiedFrom(`${source.image.repository}:${source.image.tag}`);
  const store = new Store();
  await buildParts([vault], { store });
  return store.path(vault);
}

/** Takes the program out of its image. */
async function copiedFrom(image: string): Promise<string> {
  const folder = join(cacheDir(), "download", image.replace(/[/:]/g, "-"));
  const program = join(folder, "vault");
  const fresh = `${program}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const { stdout: container } = await execa("docker", ["create", "--quiet", image]);
  try {
    await execa("docker", ["cp", "--follow-link", `${container}:/bin/vault`, fresh]);
  } finally {
    await execa("docker", ["rm", container]);
  }
  chmodSync(fresh, 0o755);
  renameSync(fresh, program);
  return folder;
}
