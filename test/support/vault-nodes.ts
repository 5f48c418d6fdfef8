import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeOptions, VaultProcess } from "./vault-process.ts";

/** Some nodes, vault-0 and up, in one temporary folder. */
export class VaultNodes {
  readonly folder: string;
  readonly nodes: readonly VaultProcess[];

  private constructor(folder: string, nodes: readonly VaultProcess[]) {
    this.folder = folder;
    this.nodes = nodes;
  }

  /** Starts so many blank nodes. */
  static async start(count: number, options: NodeOptions = {}): Promise<VaultNodes> {
    const folder = await mkdtemp(join(tmpdir(), "vault-ha-test-"));
    const nodes: VaultProcess[] = [];
    for (let at = 0; at < count; at++) nodes.push(await VaultProcess.prepare(`vault-${at}`, folder, options));
    const started = new VaultNodes(folder, nodes);
    await Promise.all(nodes.map((node) => node.start())).catch(async (error) => {
      await started.end();
      throw error;
    });
    return started;
  }

  /** A node by its number. */
  at(index: number): VaultProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no vault-${index}`);
    return node;
  }

  /** Ends all, and removes their folder; prints their logs first where a test failed. */
  async end({ failed = false } = {}): Promise<void> {
    for (const node of this.nodes) {
      node.thaw();
      await node.stop();
      if (failed) console.error(`--- ${node.name}\n${await node.log()}`);
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
