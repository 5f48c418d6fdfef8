import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "./cache-dir.ts";
import { lock } from "./lock.ts";
import type { Log, Part } from "./part.ts";

/** The root of this checkout: what `Part.inputs` is relative to. */
export const checkoutDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Written down beside each finished part, as `<part>-<key>.json`, for the benchmark. */
export interface Made {
  says: string;
  seconds: number;
  /** Date and time in ISO 8601. */
  at: string;
}

/**
 * What is made once and kept: one folder for each part and key, under `<cache>/store`. A folder has its
 * name only when it is complete, so a killed build leaves nothing there but its folder in `<cache>/tmp`,
 * which the next build of the same part removes.
 */
export class Store {
  readonly cache: string;
  readonly checkout: string;
  readonly #keys = new Map<Part, string>();

  constructor(options: { cache?: string; checkout?: string } = {}) {
    this.cache = options.cache ?? cacheDir();
    this.checkout = options.checkout ?? checkoutDir;
  }

  /** Folder of the finished parts. */
  get dir(): string {
    return join(this.cache, "store");
  }

  /**
   * The part's key: 12 hex digits over everything that decides the result. Computed once in a Store's
   * life. Throws when an input does not exist, or when the needs form a circle.
   */
  key(part: Part, above: Part[] = []): string {
    const known = this.#keys.get(part);
    if (known !== undefined) return known;
    if (above.includes(part)) {
      throw new Error(
        `Parts need each other in a circle: ${[...above, part].map((p) => p.name).join(" -> ")}.`,
      );
    }
    const facts = {
      name: part.name,
      recipe: part.recipe,
      inputs: [...part.inputs].sort().map((input) => [input, this.#hashInput(input, part)]),
      needs: part.needs.map((need) => [need.name, this.key(need, [...above, part])]),
      machine: `${process.platform}/${process.arch}`,
    };
    const key = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 12);
    this.#keys.set(part, key);
    return key;
  }

  /** Where the finished part lies or would lie. */
  path(part: Part): string {
    return join(this.dir, `${part.name}-${this.key(part)}`);
  }

  /** Whether the part is there. Its name is proof of its content: nothing of it is read. */
  has(part: Part): boolean {
    return statSync(this.path(part), { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  /**
   * Makes the part unless it is there, and tells whether it had to. What it needs must be there.
   * Two processes that want the same part take turns; the second one finds it made.
   * `onWaiting` is called when another process holds the part's lock.
   */
  async make(part: Part, onWaiting: () => void = () => {}): Promise<"made" | "there"> {
    if (this.has(part)) return "there";
    const held = await lock(join(this.cache, "lock", part.name), onWaiting);
    try {
      if (this.has(part)) return "there";
      await this.#sweep(part.name);
      const out = join(this.cache, "tmp", `${part.name}.${randomBytes(6).toString("hex")}`);
      await mkdir(out, { recursive: true });
      const log = openLog(join(this.cache, "log", `${part.name}-${this.key(part)}.log`));
      const began = performance.now();
      try {
        await part.make({ out, log, from: (need) => this.#fromNeed(part, need) });
      } catch (error) {
        await remove(out);
        throw error;
      } finally {
        log.close();
      }
      await mkdir(this.dir, { recursive: true });
      await rename(out, this.path(part));
      const made: Made = {
        says: part.says,
        seconds: (performance.now() - began) / 1000,
        at: new Date().toISOString(),
      };
      await writeFile(`${this.path(part)}.json`, `${JSON.stringify(made)}\n`);
      return "made";
    } finally {
      await held.release();
    }
  }

  /** What it took to make the part on this machine. Undefined for one that is not there. */
  made(part: Part): Made | undefined {
    const file = `${this.path(part)}.json`;
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Made) : undefined;
  }

  /** Removes what killed builds of any part left in `<cache>/tmp`. A part being made now is left alone. */
  async sweep(): Promise<void> {
    const left = await readdir(join(this.cache, "tmp")).catch(() => []);
    for (const name of new Set(left.map((entry) => entry.replace(/\.[0-9a-f]+$/, "")))) {
      const held = await lock(join(this.cache, "lock", name), "give up");
      if (!held) continue;
      await this.#sweep(name).finally(() => held.release());
    }
  }

  async #sweep(name: string): Promise<void> {
    const tmp = join(this.cache, "tmp");
    for (const entry of await readdir(tmp).catch(() => [])) {
      if (entry.replace(/\.[0-9a-f]+$/, "") === name) await remove(join(tmp, entry));
    }
  }

  #fromNeed(part: Part, need: Part): string {
    if (!part.needs.includes(need)) {
      throw new Error(`Part ${part.name} uses ${need.name}, which is not among its needs: add it there.`);
    }
    if (!this.has(need)) throw new Error(`Part ${need.name} is not made, and ${part.name} needs it.`);
    return this.path(need);
  }

  #hashInput(input: string, part: Part): string {
    const root = join(this.checkout, input);
    const hash = createHash("sha256");
    const stat = statSync(root, { throwIfNoEntry: false });
    if (!stat) throw new Error(`Input ${input} of part ${part.name} does not exist in ${this.checkout}.`);
    for (const file of stat.isDirectory() ? filesBelow(root) : [root]) {
      const content = readFileSync(file);
      const executable = (statSync(file).mode & 0o100) !== 0;
      hash
        .update(`${relative(root, file).split(sep).join("/")}\0${executable}\0${content.length}\0`)
        .update(content);
    }
    return hash.digest("hex");
  }
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Removes a folder; a dying child of a killed build may still write there, so it tries again for a while. */
function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function openLog(path: string): Log & { close(): void } {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  return {
    path,
    write: (text) => appendFileSync(file, text),
    close: () => closeSync(file),
  };
}
