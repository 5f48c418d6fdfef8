import {
  chmod,
  chown,
  copyFile,
  cp,
  lstat,
  mkdir,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../lib/part.ts";
import { run } from "../lib/run.ts";

/** PATH of every image here. What is in /usr comes before busybox's names in /bin. */
export const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Writes a file below `root`, making the folders above it. */
export async function write(root: string, path: string, text: string, mode = 0o644): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, mode); // not writeFile's mode: the umask would apply
}

/** Copies a program into `root` at `path`, executable for all. */
export async function program(from: string, root: string, path: string): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await cp(from, file, { dereference: true });
  await chmod(file, 0o755);
}

/** Copies what is in a folder into another, as root's, with ordinary modes: a Go module's files are read-only. */
export async function copyInto(log: Log, from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await run(log, "cp", ["--recursive", "--no-preserve=mode,ownership", "--no-target-directory", from, to]);
}

/** Makes empty folders with an owner. */
export async function folders(
  root: string,
  paths: string[],
  owner: { uid: number; gid: number },
  mode = 0o755,
) {
  for (const path of paths) {
    const dir = join(root, path);
    await mkdir(dir, { recursive: true });
    await chmod(dir, mode);
    await chown(dir, owner.uid, owner.gid);
  }
}

/**
 * Copies programs or libraries out of a Debian root into `root` under the same paths, with every shared
 * library that ldd names for them, and with the links by which they are found.
 */
export async function copyWithLibraries(
  log: Log,
  debian: string,
  root: string,
  paths: string[],
): Promise<void> {
  for (const path of paths) await copyWithLinks(debian, root, path);
  // ldd fails when one of the files is static, a script or a list; the others are told all the same.
  const told = await run(log, "chroot", [debian, "sh", "-c", 'ldd "$@" || true', "ldd", ...paths]);
  const libraries = told.split("\n").map((line) => /^\s.*?(\/\S+\.so\S*) \(0x/.exec(line)?.[1]);
  for (const library of new Set(libraries)) if (library) await copyWithLinks(debian, root, library);
}

/** Copies one path, and if it is a link what it points to, so that both names work in `root`. */
async function copyWithLinks(debian: string, root: string, path: string): Promise<void> {
  // Debian's /lib, /bin, /sbin are links into /usr: folders of the path are followed, its last name is not.
  const real = await realpath(join(debian, dirname(path)));
  if (!real.startsWith(debian)) throw new Error(`${path} leaves the Debian root through a link: ${real}.`);
  const dir = real.slice(debian.length);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const from = join(debian, dir, name);
  const to = join(root, dir, name);
  const stat = await lstat(from);
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true });
  if (stat.isSymbolicLink()) {
    const target = await readlink(from);
    await symlink(target, to);
    await copyWithLinks(debian, root, target.startsWith("/") ? target : join(dir, target));
  } else {
    await copyFile(from, to);
    await chmod(to, stat.mode & 0o777);
  }
}

/** Makes /bin, /lib and /sbin links into /usr, as in Debian: what was copied by its real path is found by both. */
export async function mergeUsr(root: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
}
