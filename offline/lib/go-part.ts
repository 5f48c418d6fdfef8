import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { goEnvironment } from "./go-toolchain.ts";
import type { Log, Part } from "./part.ts";
import { run } from "./run.ts";
import { checkoutDir } from "./store.ts";

/** One program that `go build` makes. */
export interface GoProgram {
  /** Its file name in the part's folder. */
  name: string;
  /** Import path of its main package: one of a required module, or of the part's own, as "./kube". */
  package: string;
  /** Build tags. */
  tags?: readonly string[];
  /** Variables that the linker sets, by import path and name: what the program says its version is. */
  variables?: Readonly<Record<string, string>>;
}

/** Files or a folder that the module proxy serves beside the code, and where to put them. */
export interface ModuleFiles {
  /** Module path, required in the part's go.mod, which says the version. */
  module: string;
  /** Path of a file or folder in the module. */
  from: string;
  /** Where it goes: in the part's folder, or for `beside`, in the copy of the go.mod's folder. */
  to: string;
  /** A file that is to be run: modules do not keep that. */
  executable?: boolean;
}

/** A change to a module's file, made in a copy of the module that takes its place for one build. */
export interface ModuleEdit {
  module: string;
  /** Path of the file in the module. */
  file: string;
  /** Regular expressions, with the flags g and m, and what each match becomes. One without any match is an error. */
  changes: readonly { find: string; by: string }[];
}

export interface GoPartArgs {
  name: string;
  says: string;
  /** Folder under offline/go that holds go.mod and go.sum. */
  folder: string;
  programs: readonly GoProgram[];
  /** Files of modules that become part of the result. */
  files?: readonly ModuleFiles[];
  /** Files of modules that a main package of our own embeds. They are too large to keep in the checkout. */
  beside?: readonly ModuleFiles[];
  edits?: readonly ModuleEdit[];
  /** It is done in seconds: others may be built beside it. */
  light?: boolean;
}

/**
 * A part built with `go build` from one folder under offline/go, whose committed go.mod and go.sum say
 * every version and every checksum: nothing is resolved at build time. Its result is the programs under
 * their names, and `files`. Packages compiled for one part are taken from Go's own cache by the next.
 */
export function goPart(args: GoPartArgs): Part {
  const { name, says, folder, programs, files = [], beside = [], edits = [], light = false } = args;
  const source = `offline/go/${folder}`;
  return {
    name,
    says,
    needs: [],
    inputs: [source],
    recipe: JSON.stringify({ programs, files, beside, edits }),
    heavy: !light,
    async make({ out, log }) {
      const env = await goEnvironment();
      const temporary = await mkdtemp(join(tmpdir(), `vault-ha-${name}-`));
      try {
        const at = { cwd: join(checkoutDir, source), env };
        if (beside.length + edits.length > 0) {
          at.cwd = join(temporary, "main");
          await copyTree(join(checkoutDir, source), at.cwd);
        }
        for (const wanted of beside) await copyFromModule(log, at, wanted, at.cwd);
        // Before a changed copy takes a module's place: `go mod download` says nothing about that one.
        for (const wanted of files) await copyFromModule(log, at, wanted, out);
        for (const edit of edits) {
          const copy = join(temporary, edit.module.replaceAll("/", "-"));
          // Several files of a module are changed in one copy; Go says nothing of a module that was replaced.
          if (!existsSync(copy)) await replaceModule(log, at, edit, copy);
          const path = join(copy, edit.file);
          await writeFile(path, edited(await readFile(path, "utf8"), edit));
        }
        for (const program of programs) {
          const output = ["-o", join(out, program.name), program.package];
          await run(log, "go", ["build", ...buildFlags(program), ...output], at);
        }
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    },
  };
}

export interface At {
  /** Folder of the go.mod. */
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** Puts a copy of a module, to be changed, into `copy`, and tells the go.mod in `at.cwd` to take that. */
async function replaceModule(log: Log, at: At, { module }: ModuleEdit, copy: string): Promise<void> {
  await copyTree(await moduleDir(log, at, module), copy);
  await run(log, "go", ["mod", "edit", `-replace=${module}=${copy}`], at);
}

/** The text with the edit's changes. A change that matches nothing is an error. */
export function edited(text: string, { module, file, changes }: ModuleEdit): string {
  const without = changes.filter(({ find }) => !new RegExp(find, "m").test(text));
  if (without.length > 0) {
    throw new Error(
      `${module}/${file} was to be changed where it matches ${without.map(({ find }) => `/${find}/`).join(", ")}, ` +
        "but it matches nowhere. Its version has changed: mend `edits` in offline/programs.",
    );
  }
  return changes.reduce((changed, { find, by }) => changed.replace(new RegExp(find, "gm"), by), text);
}

function buildFlags({ tags = [], variables = {} }: GoProgram): string[] {
  const set = Object.entries(variables).map(([variable, value]) => `-X ${variable}=${value}`);
  return [...(tags.length > 0 ? ["-tags", tags.join(",")] : []), "-ldflags", ["-s", "-w", ...set].join(" ")];
}

async function copyFromModule(
  log: Log,
  at: At,
  { module, from, to, executable = false }: ModuleFiles,
  folder: string,
): Promise<void> {
  await copyTree(join(await moduleDir(log, at, module), from), join(folder, to));
  if (executable) await chmod(join(folder, to), 0o755);
}

/**
 * Absolute path of a required module's files in Go's module cache, brought there if need be. Everything in it is read-only and shared: copy, never change.
 */
export async function moduleDir(log: Log, at: At, module: string): Promise<string> {
  const answer = await run(log, "go", ["mod", "download", "-json", module], at);
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

/** Copies a file or a folder with the modes 0644 and 0755: a module's files carry no modes of their own. */
async function copyTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOTDIR") return undefined;
    throw cause;
  });
  if (entries === undefined) {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
    await chmod(to, 0o644);
    return;
  }
  await mkdir(to, { recursive: true, mode: 0o755 });
  for (const entry of entries) await copyTree(join(from, entry.name), join(to, entry.name));
}
