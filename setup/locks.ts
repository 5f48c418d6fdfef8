import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { isAlive, nameOf } from "./processes.ts";

/** A lock of Pulumi's file backend. */
export interface StackLock {
  file: string;
  pid: number;
  hostname: string;
  username: string;
  timestamp: string;
}

const content = z.object({
  pid: z.number(),
  hostname: z.string(),
  username: z.string(),
  timestamp: z.string(),
});

/**
 * Removes the locks of a stack whose process is dead, and gives those and the ones that are held. A pulumi
 * that is killed leaves its lock (pkg/backend/diy/lock.go in pulumi/pulumi). A lock from another machine
 * counts as held: its processes cannot be seen from here. Backends that are not folders have none.
 */
export function freeDeadLocks(backend: string, project: string, stack: string) {
  const { dead: removed, held } = readLocks(backend, project, stack);
  for (const { file } of removed) rmSync(file, { force: true });
  return { removed, held };
}

/** The locks of a stack, those of dead processes and those that are held. Changes nothing. */
export function readLocks(backend: string, project: string, stack: string) {
  const dead: StackLock[] = [];
  const held: StackLock[] = [];
  const folder = lockFolder(backend, project, stack);
  const names = folder && existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names.filter((each) => each.endsWith(".json"))) {
    const file = join(folder ?? "", name);
    const lock = { file, ...content.parse(JSON.parse(readFileSync(file, "utf8"))) };
    (isHeld(lock) ? held : dead).push(lock);
  }
  return { dead, held };
}

/** One line about who holds a lock. */
export function holder(lock: StackLock): string {
  return `process ${lock.pid} of ${lock.username} on ${lock.hostname}, since ${lock.timestamp.slice(0, 19).replace("T", " ")}`;
}

function isHeld(lock: StackLock): boolean {
  if (lock.hostname !== hostname()) return true;
  if (!isAlive(lock.pid)) return false;
  // Its number may have gone to another program since. Without /proc its name is unknown: then it is held.
  return !existsSync("/proc/self/comm") || nameOf(lock.pid) === "pulumi";
}

function lockFolder(backend: string, project: string, stack: string): string | undefined {
  if (!backend.startsWith("file://")) return undefined;
  return join(fileURLToPath(backend), ".pulumi/locks/organization", project, stack);
}
