/** Reads every secret of the kv engines, which proves that what was restored can be decrypted. Keeps none of it. */
import { z } from "zod";
import type { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";

const Keys = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const Anything = z.unknown();
const Mounts = z.object({
  data: z.record(
    z.string(),
    z.object({ type: z.string(), options: z.object({ version: z.string().optional() }).nullish() }),
  ),
});

/** What was read. */
export interface Read {
  secrets: number;
  /** The kv engines that they are in, by their paths. */
  engines: string[];
  /** Of version 2: secrets whose newest version is deleted, and has nothing to read. */
  deleted: number;
}

/**
 * Walks through all kv engines with these clients, each of which asks one thing at a time.
 * @param tell told now and then how many were read so far
 */
export async function readAll(vaults: readonly Vault[], tell: (read: number) => void): Promise<Read> {
  const [first] = vaults;
  if (first === undefined) throw new Error("nobody to read with");
  const kv = Object.entries((await first.ask(Mounts, "GET", "sys/mounts")).data).filter(
    ([, { type }]) => type === "kv" || type === "generic",
  );
  const walk = new Walk(tell);
  for (const [mount, { options }] of kv)
    walk.add(
      options?.version === "2"
        ? { list: `${mount}metadata/`, read: `${mount}data/` }
        : { list: mount, read: mount },
    );
  await Promise.all(vaults.map((vault) => walk.work(vault)));
  return { secrets: walk.secrets, deleted: walk.deleted, engines: kv.map(([mount]) => mount) };
}

/** A folder to be listed, and where what is in it is read. */
interface Folder {
  list: string;
  read: string;
}

class Walk {
  secrets = 0;
  deleted = 0;
  readonly #tell: (read: number) => void;
  readonly #folders: Folder[] = [];
  readonly #paths: string[] = [];
  /** Workers that may still find something. */
  #busy = 0;
  #wake: (() => void)[] = [];

  constructor(tell: (read: number) => void) {
    this.#tell = tell;
  }

  add(folder: Folder): void {
    this.#folders.push(folder);
  }

  async work(vault: Vault): Promise<void> {
    for (;;) {
      const path = this.#paths.pop();
      const folder = path === undefined ? this.#folders.pop() : undefined;
      if (path === undefined && folder === undefined) {
        if (this.#busy === 0) return;
        await new Promise<void>((wake) => this.#wake.push(wake));
        continue;
      }
      this.#busy++;
      try {
        if (path !== undefined) await this.#read(vault, path);
        else if (folder !== undefined) await this.#list(vault, folder);
      } finally {
        this.#busy--;
        for (const wake of this.#wake.splice(0)) wake();
      }
    }
  }

  async #list(vault: Vault, { list, read }: Folder): Promise<void> {
    const keys = await vault.ask(Keys, "LIST", list).catch((error) => {
      if (error instanceof VaultError && error.status === 404) return { data: { keys: [] } };
      throw error;
    });
    for (const key of keys.data.keys) {
      const name = encodeURIComponent(key).replaceAll("%2F", "/");
      if (key.endsWith("/")) this.#folders.push({ list: list + name, read: read + name });
      else this.#paths.push(read + name);
    }
  }

  async #read(vault: Vault, path: string): Promise<void> {
    try {
      await vault.ask(Anything, "GET", path);
      this.secrets++;
      if (this.secrets % 1000 === 0) this.#tell(this.secrets);
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 404) throw error;
      this.deleted++;
    }
  }
}
