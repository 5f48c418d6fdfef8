import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../lib/part.ts";
import { run } from "../lib/run.ts";

/** Folder of the node, outside /var, with the unpacked layers of the images it starts with. */
const layers = "kind/layers";

/** Runs a command line of the node's ctr. */
type Ctr = (...args: string[]) => Promise<string>;

/**
 * Puts images into the containerd store of a node's root, unpacked, as if the node had pulled them. `archive` is
 * consumed; `blobs` are the SHA-256 of the layers in it, which are not kept beside what is unpacked (kind sets
 * the same for its nodes).
 *
 * The unpacked layers then move from /var/lib/containerd to /kind/layers and leave links. kind gives every
 * node an anonymous volume for /var, into which Docker copies the image's /var: every megabyte there costs
 * time and disk four times at `kind create`. Layers are only read (as overlayfs' lower folders), so they can
 * stay in the image, where all nodes share them, in the page cache too. This is why the layers must
 * have no whiteouts: the node's own overlay would act on them. It needs Docker to store images on overlayfs
 * (its default on Linux): a lower folder may be on an overlay, but no more than one deep.
 */
export async function preload(
  log: Log,
  node: string,
  archive: string,
  blobs: readonly string[],
): Promise<void> {
  const inNode = "/run/images.tar";
  await mkdir(join(node, "run"), { recursive: true });
  await rename(archive, join(node, inNode));
  await withContainerd(log, node, async (ctr) => {
    await ctr("images", "import", "--local", "--discard-unpacked-layers", "--snapshotter=overlayfs", inNode);
    await ctr("content", "rm", ...blobs.map((sha256) => `sha256:${sha256}`));
  });
  for (const folder of ["run", "opt/containerd"])
    await rm(join(node, folder), { recursive: true, force: true });
  await mkdir(join(node, "run"));

  const root = join(node, "var/lib/containerd");
  // containerd forgot the layers' blobs. Its next collection of garbage takes their files, if it came to that yet.
  const stored = join(root, "io.containerd.content.v1.content/blobs/sha256");
  for (const sha256 of blobs) await rm(join(stored, sha256), { force: true });
  // Every plug-in made its folder; these hold something.
  const kept = [/\.content$/, /\.bolt$/, /\.overlayfs$/];
  for (const name of await readdir(root)) {
    if (!kept.some((ending) => ending.test(name))) await rm(join(root, name), { recursive: true });
  }
  const snapshots = join(root, "io.containerd.snapshotter.v1.overlayfs/snapshots");
  await mkdir(join(node, layers), { recursive: true });
  for (const id of await readdir(snapshots)) {
    await rename(join(snapshots, id, "fs"), join(node, layers, id));
    await symlink(`/${layers}/${id}`, join(snapshots, id, "fs"));
  }
}

/**
 * Runs the node's containerd in the node's root while `use` works with its ctr: so it writes nowhere else, and
 * its socket has a short path. It has its own mounts and processes, which all end with it, and it ends
 * with this process, even if that is killed.
 */
async function withContainerd(log: Log, node: string, use: (ctr: Ctr) => Promise<void>): Promise<void> {
  // Kubernetes' side of it is not needed to import, and would look for a network.
  const disabled = [
    "io.containerd.grpc.v1.cri",
    "io.containerd.cri.v1.images",
    "io.containerd.cri.v1.runtime",
  ];
  await writeFile(
    join(node, "run/import.toml"),
    `version = 3\ndisabled_plugins = ${JSON.stringify(disabled)}\n`,
  );
  const inNode = 'mount -t proc proc "$0/proc" && exec chroot "$0" containerd --config /run/import.toml';
  const daemon = spawn(
    "setpriv",
    [
      ...["--pdeathsig=KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child"],
      ...["--", "sh", "-c", inNode, node],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const ended = once(daemon, "close");
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on("data", (text) => log.write(String(text)));
  const ctr: Ctr = (...args) => run(log, "chroot", [node, "ctr", "--namespace", "k8s.io", ...args]);
  try {
    await answering(daemon, ctr);
    await use(ctr);
    // The database is written at each change, so there is nothing to lose in being ended at once.
  } finally {
    daemon.kill("SIGKILL");
    await ended;
  }
}

async function answering(daemon: { exitCode: number | null }, ctr: Ctr): Promise<void> {
  const limit = performance.now() + 30_000;
  while (true) {
    try {
      await ctr("version");
      return;
    } catch (error) {
      if (daemon.exitCode !== null)
        throw new Error(`containerd ended with code ${daemon.exitCode}.`, { cause: error });
      if (performance.now() > limit) throw error;
      await wait(100);
    }
  }
}
