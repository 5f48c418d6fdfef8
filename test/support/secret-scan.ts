/** Looks for a Vault's secrets wherever a run could have left them. */
import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../offline/lib/cache-dir.ts";
import { local } from "../../setup/folders.ts";
import { type ProcessWatch, watchProcesses } from "./process-watch.ts";
import { type Form, formsOf, formsOfShare } from "./secret-forms.ts";

/** Shares in base64, as Vault gives them, and the root token. */
export interface Secrets {
  shares: string[];
  rootToken: string;
}

interface Mark extends Form {
  /** "share 2", "the root token". */
  name: string;
}

/** The journal of a stack, and those of stores that were given up: the only files that hold secrets in the clear. */
const journal = /\/stacks\/[^/]+\/vault-init(\.[\w.-]+)?\.json$/;

/** Folders in which this program, Pulumi, Helm and kubectl write. */
const ownFolders = () => [local.root, ...["helm", "kube", "xdg"].map((name) => join(cacheDir(), name))];

/**
 * From its making on it watches every process's arguments and environment and takes what is printed (`keep`).
 * `find` then looks there, and in every file that was made or changed since: of this checkout's `.local` (state,
 * history, backups, logs, stacks), of the tools' caches, and of the system's temporary folder.
 */
export class SecretScan {
  readonly processes: ProcessWatch;
  /** The files in which `find` has looked. */
  readonly looked = new Set<string>();
  readonly #folders: string[];
  readonly #began = Date.now();
  readonly #printed: string[] = [];

  constructor(folders = [...ownFolders(), tmpdir()]) {
    this.#folders = folders;
    this.processes = watchProcesses();
  }

  /** Keeps what a command or a step has printed. */
  keep(output: string): void {
    this.#printed.push(output);
  }

  /** One line for each secret in each place, and for what could not be looked at or others may read. Empty: nothing. */
  async find(secrets: Secrets): Promise<string[]> {
    const marks: Mark[] = [
      ...secrets.shares.flatMap((share, at) =>
        formsOfShare(share).map((form) => ({ ...form, name: `share ${at + 1}` })),
      ),
      ...formsOf(secrets.rootToken).map((form) => ({ ...form, name: "the root token" })),
    ];
    const found = new Set<string>(this.processes.unreadable().map((path) => `${path} cannot be read`));
    const report = (mark: Mark, place: string) => found.add(`${mark.name} stands ${mark.form} in ${place}`);
    // Output comes in pieces, which may part a secret.
    const texts = [
      ["output", this.#printed.join("")],
      ...this.processes.seen().map((text) => ["process", text]),
    ];
    for (const [place = "", text = ""] of texts) {
      const bytes = Buffer.from(text);
      for (const mark of marks)
        if (bytes.includes(mark.bytes)) report(mark, `${place}: ${safe(text, marks)}`);
    }
    for (const folder of this.#folders) await this.#lookInto(folder, marks, found);
    return [...found];
  }

  /** Stops watching processes. */
  end(): void {
    this.processes.stop();
  }

  async #lookInto(folder: string, marks: Mark[], found: Set<string>): Promise<void> {
    for (const entry of await unlessGone(readdir(folder, { withFileTypes: true }), folder, found, [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await this.#lookInto(path, marks, found);
      if (!entry.isFile()) continue;
      const stats = await unlessGone(lstat(path), path, found, undefined);
      if (stats === undefined || changed(stats) < this.#began) continue;
      this.looked.add(path);
      if (journal.test(path)) {
        const mode = stats.mode & 0o777;
        if (mode !== 0o600) found.add(`${path} has mode 0${mode.toString(8)}, not 0600`);
      } else
        for (const mark of await unlessGone(marksIn(path, marks), path, found, []))
          found.add(`${mark.name} stands ${mark.form} in ${path}`);
    }
  }
}

/** When a file's content or its name last changed, in milliseconds; a file system may round down to seconds. */
function changed({ mtimeMs, ctimeMs }: Stats): number {
  return Math.max(mtimeMs, ctimeMs) + 1_000;
}

/** A file in pieces, each with the end of the one before, so that no secret is parted. */
async function marksIn(path: string, marks: readonly Mark[]): Promise<Mark[]> {
  const longest = Math.max(...marks.map(({ bytes }) => bytes.length));
  const found = new Set<Mark>();
  let before = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([before, piece as Buffer]);
    for (const mark of marks) if (bytes.includes(mark.bytes)) found.add(mark);
    before = bytes.subarray(-longest);
  }
  return [...found];
}

/** What is gone by now holds nothing; what cannot be read is reported. */
async function unlessGone<T>(work: Promise<T>, path: string, found: Set<string>, otherwise: T): Promise<T> {
  return work.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR")
      found.add(`${path} cannot be read (${error.code})`);
    return otherwise;
  });
}

/** The begin of a text, without the secrets in it: a report must not show what it complains of. */
function safe(text: string, marks: readonly Mark[]): string {
  const shown = marks.reduce((rest, { bytes }) => rest.replaceAll(bytes.toString(), "(secret)"), text);
  return JSON.stringify(shown.slice(0, 200));
}
