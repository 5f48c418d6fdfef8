/** Tells the survivors of a lost quorum that they are the whole cluster (Vault's peers.json). Cut off, it goes on. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NotYet, StepError } from "../../steps/lib/errors.ts";
import { leaderAmong } from "../../steps/lib/leading.ts";
import type { Road } from "../../steps/lib/road.ts";
import type { Target } from "../../steps/lib/target.ts";
import { unsealNode } from "../../steps/lib/unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { until, type Waiting, within } from "../../steps/lib/wait.ts";
import { renameWhole } from "../../steps/lib/whole-file.ts";
import { peersJson, type Voter } from "../doctor/recovery.ts";
import type { VaultKeys } from "../open-vault.ts";
import { type Begun, forgetBegun, writeBegun } from "./begun.ts";
import type { Found } from "./found.ts";

/** The stores of the nodes, past Vault's API. */
export interface Stores {
  /** Starts a node's process anew. Resolves when another one runs; it is sealed then. */
  restart(node: string, step: Waiting): Promise<void>;
  /** Copies all that a sealed node has stored into a file of this machine, and checks it. */
  copy(node: string, file: string, signal: AbortSignal): Promise<void>;
  /** Puts a text into the node's raft folder as peers.json, whole or not at all. */
  putPeers(node: string, text: string, signal: AbortSignal): Promise<void>;
}

/** What a recovery works with. */
export interface Recovering extends Pick<Target, "stack" | "stackDir" | "reach"> {
  keys: VaultKeys;
  stores: Stores;
  roadTo(node: string): Promise<Road>;
  timeoutSeconds: number;
  say(line: string): void;
  signal: AbortSignal;
}

/** What a recovery came to. */
export interface Recovered {
  leader: string;
  /** The node's own address for the others. */
  address: string;
  /** The raft configuration as it is now. */
  voters: string[];
  lost: string[];
  /** The raft index that is committed. */
  index: number;
  /** Copies of what each survivor had before. */
  copies: string[];
}

/**
 * Restarts the survivors, so that they are sealed and store nothing; copies their stores; writes peers.json into each;
 * unseals them (with a seal they are restarted after that instead, and unseal themselves); and proves that one leads and takes a write.
 * @throws StepError where something does not come about; the same command goes on from there
 */
export async function recoverQuorum(
  { survivors, lost, leader: leads }: Found,
  begun: Begun | undefined,
  recovering: Recovering,
): Promise<Recovered> {
  const { stackDir, stores, say, signal, timeoutSeconds } = recovering;
  const nodes = survivors.map(({ node }) => node);
  const { begunAt } = begun ?? (await writeBegun(stackDir, nodes));
  const copies = nodes.map((node) =>
    join(stackDir, "recovery", `${node}-${begunAt.slice(0, 19).replaceAll(/[-:]/g, "")}Z.tar`),
  );
  const step = () => within({ say, signal }, timeoutSeconds);
  if (begun !== undefined && leads !== undefined) say(`${leads} leads: only the proof was missing`);
  else {
    const restart = async (node: string) => {
      say(`${node} is started anew`);
      await stores.restart(node, step());
    };
    const { seal } = recovering.keys;
    // With a seal a node is unsealed when it has started, and has read peers.json by then. Until then it runs without a
    // leader, so that nothing is stored either.
    if (seal === undefined)
      for (const node of nodes) {
        await restart(node);
        await withVault(node, recovering, (vault) =>
          until(`${node} to be sealed`, () => sealed(vault), step()),
        );
      }
    // All of them sealed: what is copied does not change, and nobody reads peers.json before it is everywhere.
    for (const [at, node] of nodes.entries()) await copyOnce(node, copies[at] ?? "", recovering);
    for (const node of nodes) {
      await stores.putPeers(node, peersJson(survivors), signal);
      say(`${node} has peers.json: ${nodes.join(", ")}`);
    }
    if (seal !== undefined) for (const node of nodes) await restart(node);
    // Holders whose shares stay in memory may have opened one before it had peers.json, which is read then only.
    else
      for (const node of nodes) {
        const { sealed } = await withVault(node, recovering, (vault) =>
          until(`${node} to answer`, () => vault.sealStatus(), step()),
        );
        if (sealed) continue;
        say(`${node} was unsealed meanwhile, before it had peers.json`);
        await restart(node);
      }
    for (const node of nodes)
      await withVault(node, recovering, (vault) =>
        unsealNode(vault, { ...recovering, ...recovering.keys }, named(node, step())),
      );
  }
  const proved = await prove(survivors, recovering, step());
  await forgetBegun(stackDir);
  return { ...proved, lost: lost.map(({ node }) => node), copies: copies.filter((file) => existsSync(file)) };
}

async function sealed(vault: Vault): Promise<void> {
  const status = await vault.sealStatus();
  if (!status.initialized)
    throw new StepError(`${vault.node} is blank now. Nothing more was done to any store`);
  if (!status.sealed) throw new NotYet(`${vault.node} is unsealed`);
}

/** A run that goes on keeps the copy of the first one: what is there now may have been recovered already. */
async function copyOnce(node: string, file: string, { stores, say, signal }: Recovering): Promise<void> {
  if (existsSync(file)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await (await open(temporary, "wx", 0o600)).close();
    await stores.copy(node, temporary, signal);
    const written = await open(temporary, "r+");
    await written.sync().finally(() => written.close());
    await renameWhole(temporary, file);
    say(`${node}: what it has stored is copied to ${file}`);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether one of them leads, they alone are the raft configuration, and what is written is read back. */
async function prove(
  survivors: readonly Voter[],
  recovering: Recovering,
  step: Waiting,
): Promise<Omit<Recovered, "lost" | "copies">> {
  const nodes = survivors.map(({ node }) => node);
  const look = async () => {
    const vaults = await Promise.all(nodes.map((node) => openNode(node, recovering)));
    try {
      const leader = await leaderAmong(vaults);
      const servers = await leader.raftServers();
      const strangers = servers.filter(({ node_id }) => !nodes.includes(node_id));
      if (strangers.length > 0)
        throw new StepError(
          `${leader.node} leads, and its raft configuration still has ${strangers.map(({ node_id }) => node_id).join(", ")}: peers.json was not read`,
          `npm run doctor -- --stack ${recovering.stack}`,
        );
      const voters = servers.filter(({ voter }) => voter).map(({ node_id }) => node_id);
      if (voters.length < nodes.length) throw new NotYet(`only ${voters.join(", ")} vote`);
      const marker = randomUUID();
      await leader.write("vault-ha-recovery", marker);
      if ((await leader.read("vault-ha-recovery")) !== marker)
        throw new NotYet("another value was read back");
      await leader.delete("vault-ha-recovery");
      const { raft_committed_index: index = 0 } = await leader.leader();
      const road = await recovering.roadTo(leader.node);
      return {
        leader: leader.node,
        address: road.peerAddress(leader.node),
        voters: voters.toSorted(),
        index,
      };
    } finally {
      for (const vault of vaults) vault.close();
    }
  };
  return await until(`one of ${nodes.join(", ")} to lead and to take a write`, look, step);
}

async function withVault<T>(
  node: string,
  recovering: Recovering,
  work: (vault: Vault) => Promise<T>,
): Promise<T> {
  const vault = await openNode(node, recovering);
  return await work(vault).finally(() => vault.close());
}

const openNode = async (node: string, { roadTo, keys, signal }: Recovering): Promise<Vault> =>
  new Vault(await roadTo(node), node, { signal }, keys.rootToken);

const named = (node: string, step: Waiting): Waiting => ({
  ...step,
  say: (line) => step.say(`${node} ${line}`),
});
