import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { dirname } from "node:path";

/** Lets `link` point to `target`, in one step for whoever looks. What was there before is replaced. */
export function putLink(link: string, target: string): void {
  if (pointsTo(link, target)) return;
  if (!existsSync(target)) throw new Error(`${target} is not there, so ${link} cannot point to it`);
  mkdirSync(dirname(link), { recursive: true });
  const fresh = `${link}.${process.pid}`;
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  if (lstatSync(link, { throwIfNoEntry: false })?.isDirectory()) rmSync(link, { recursive: true });
  renameSync(fresh, link);
}

function pointsTo(link: string, target: string): boolean {
  const there = lstatSync(link, { throwIfNoEntry: false });
  return there?.isSymbolicLink() === true && readlinkSync(link) === target && existsSync(target);
}

/**
 * Puts the program itself at `path`: a second name for the same file, or a copy where the file systems differ.
 * Pulumi follows symbolic links to its own folder, looks for its language hosts there, and warns at every run
 * about one that it finds on PATH instead.
 */
export function putProgram(path: string, target: string): void {
  const source = realpathSync(target);
  if (isSameFile(path, source)) return;
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  try {
    linkSync(source, fresh);
  } catch {
    copyFileSync(source, fresh);
    const { atime, mtime } = statSync(source);
    utimesSync(fresh, atime, mtime);
  }
  renameSync(fresh, path);
}

/** The same file, or a copy of it: a copy keeps size and time. */
function isSameFile(path: string, source: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there?.isFile()) return false;
  const wanted = statSync(source);
  const isLink = there.ino === wanted.ino && there.dev === wanted.dev;
  return isLink || (there.size === wanted.size && there.mtimeMs === wanted.mtimeMs);
}
