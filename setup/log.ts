import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../offline/lib/part.ts";
import { local } from "./folders.ts";

/** A fresh log of this run in `.local/logs`. */
export function fileLog(name: string): Log {
  const path = join(local.logs, name);
  mkdirSync(local.logs, { recursive: true, mode: 0o700 });
  writeFileSync(path, "", { mode: 0o600 });
  return { path, write: (text) => appendFileSync(path, text) };
}
