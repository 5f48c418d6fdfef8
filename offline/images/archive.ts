import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../lib/part.ts";
import { run } from "../lib/run.ts";

/** One layer of an image: a tar file and the SHA-256 of its bytes. */
export interface Layer {
  file: string;
  /** Hex digits. */
  sha256: string;
}

/** The part of an image's configuration that this project uses, by the names of the OCI image specification. */
export interface ImageConfig {
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  User?: string;
  WorkingDir?: string;
  StopSignal?: string;
}

export interface Image {
  /** Full names with their tags. None: the image is known by its id only. */
  tags: string[];
  /** From the lowest to the uppermost. */
  layers: Layer[];
  config: ImageConfig;
}

/**
 * Packs a folder as a layer. Order, times and headers do not vary, so the same content has the same digest
 * and Docker keeps it once. File capabilities are kept: the ingress controller's programs bind port 80 by them.
 */
export async function packLayer(log: Log, folder: string, file: string): Promise<Layer> {
  await run(log, "tar", [
    ...[
      "--create",
      `--file=${file}`,
      `--directory=${folder}`,
      "--sort=name",
      "--mtime=@0",
      "--numeric-owner",
    ],
    ...["--format=posix", "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"],
    ...["--xattrs", "--xattrs-include=security.capability", "."],
  ]);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return { file, sha256: hash.digest("hex") };
}

/**
 * Writes images as one file that `docker load` and `ctr images import` take (the format of `docker save`).
 * A layer that several images share is in it once. The layers' files are used up. Gives the images' ids
 * ("sha256:..."), in their order.
 */
export async function writeArchive(log: Log, images: readonly Image[], file: string): Promise<string[]> {
  const folder = `${file}.parts`;
  await mkdir(folder);
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.sha256, layer.file])));
  for (const [sha256, from] of layers) await run(log, "mv", [from, join(folder, `${sha256}.tar`)]);
  const ids: string[] = [];
  const manifest = [];
  for (const image of images) {
    const config = JSON.stringify(configFile(image));
    const id = createHash("sha256").update(config).digest("hex");
    await writeFile(join(folder, `${id}.json`), config);
    ids.push(`sha256:${id}`);
    manifest.push({
      Config: `${id}.json`,
      RepoTags: image.tags,
      Layers: image.layers.map((layer) => `${layer.sha256}.tar`),
    });
  }
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  await run(log, "tar", ["--create", `--file=${file}`, `--directory=${folder}`, "."]);
  await rm(folder, { recursive: true });
  return ids;
}

/** See "OCI Image Configuration" of the image specification. The date is fixed: it is no property of the content. */
function configFile(image: Image): object {
  return {
    created: "1970-01-01T00:00:00Z",
    architecture: dockerArchitecture(),
    os: "linux",
    config: image.config,
    rootfs: { type: "layers", diff_ids: image.layers.map((layer) => `sha256:${layer.sha256}`) },
  };
}

/** Go's name for this machine's processor, as images use it. */
export function dockerArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
