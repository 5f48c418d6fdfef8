import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Path of a program on PATH or in the folders for administrators; undefined if there is none. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | undefined {
  const folders = [...path.split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"].filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
