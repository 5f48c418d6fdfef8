/** Restores a snapshot into a Vault that is thrown away, reads everything in it, and notes that beside the snapshot. */
import { CommandError } from "../../setup/command.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { leaderAmong } from "../../steps/lib/leading.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import type { Road } from "../../steps/lib/road.ts";
import { markerName, sendSnapshot } from "../../steps/lib/snapshot.ts";
import { readSnapshot, type SnapshotFacts } from "../../steps/lib/snapshot-file.ts";
import { type Proof, readRecord, type SnapshotRecord, writeRecord } from "../../steps/lib/snapshot-record.ts";
import type { Reach } from "../../steps/lib/target.ts";
import { unsealNode } from "../../steps/lib/unseal.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { until, type Waiting, within } from "../../steps/lib/wait.ts";
import { proveShares } from "../adopt/prove-shares.ts";
import type { VaultKeys } from "../open-vault.ts";
import { type Read, readAll } from "./read-all.ts";
import { makeThrowAway, removeThrowAways, throwAwayPod } from "./throw-away.ts";

/** Where it is rehearsed, and with what. */
export interface Rehearsal {
  stack: string;
  stackDir: string;
  /** The stack's own cluster. The copy runs in a namespace of its own, on the same image. */
  reach: Extract<Reach, { kind: "kubernetes" }>;
  file: string;
  /** The keys of the snapshot's time. */
  keys: VaultKeys;
  /** How long each wait may take, in seconds. */
  timeoutSeconds: number;
  say(line: string): void;
  signal: AbortSignal;
}

/** What was proved. */
export interface Rehearsed extends Read, Proof {
  stack: string;
  file: string;
  index: number;
  clusterId: string | undefined;
  /** true: what was written just before the snapshot was read back; undefined where nothing was noted of that. */
  marker: true | undefined;
}

/** How many connections read at the same time. */
const readers = 8;

/** How long removing the copy may take after an interrupt or a failure, in seconds. */
const cleanUpSeconds = 120;

/**
 * Makes the copy, proves it and removes it, however it ends.
 * @throws CommandError or StepError where the snapshot is not what it should be; nothing is noted then
 */
export async function rehearseRestore(rehearsal: Rehearsal): Promise<Rehearsed> {
  const { stack, reach, file, say, signal, timeoutSeconds } = rehearsal;
  const [facts, record] = [await readSnapshot(file), await readRecord(file)];
  if (facts.seal !== undefined && facts.seal.type !== "shamir")
    throw new CommandError(
      `${file} is of a Vault that the seal ${facts.seal.type} unseals, and the copy of a rehearsal can reach nobody, its seal neither. Nothing was done. Restore it into a stack of its own with the same seal instead (docs/seal.md, Snapshots).\nNext: npm run snapshot inspect ${file}`,
    );
  const kube = await openKube(reach.kubeconfig);
  const step = within({ say, signal }, timeoutSeconds);
  const left = await removeThrowAways(kube, stack, step);
  if (left.length > 0) say(`removed what a killed rehearsal had left: ${left.join(", ")}`);
  const live = await getPod(kube, reach.namespace, throwAwayModel, signal);
  const image = live.spec.containers?.find(({ name }) => name === "vault")?.image;
  if (image === undefined) throw new CommandError(`pod ${throwAwayModel} has no container vault`);
  try {
    const namespace = await makeThrowAway(kube, stack, image, step);
    say(`a Vault to be thrown away runs in namespace ${namespace} (${image})`);
    const ran = performance.now();
    const road = await openRoad({ scheme: "http", reach: { ...reach, namespace } });
    const proved = await proveOn(road, rehearsal, facts, record, step);
    const seconds = Math.round((performance.now() - ran) / 100) / 10;
    const { secrets } = proved;
    const proof: Proof = { provedAt: new Date().toISOString(), seconds, secrets };
    if (record !== undefined) await writeRecord(file, { ...record, proof });
    return { stack, file, index: facts.index, ...proof, ...proved };
  } finally {
    const removal = within({ say, signal: AbortSignal.timeout(cleanUpSeconds * 1000) }, cleanUpSeconds);
    await removeThrowAways(kube, stack, removal);
  }
}

/** Whose image the copy runs. */
const throwAwayModel = "vault-0";

/** From a blank Vault to one in which everything was read. */
export async function proveOn(
  road: Road,
  {
    file,
    keys,
    say,
    signal,
    reach,
    stack,
    stackDir,
  }: Rehearsal | (Omit<Rehearsal, "reach"> & { reach: Reach }),
  facts: SnapshotFacts,
  record: SnapshotRecord | undefined,
  step: Waiting,
): Promise<Read & Pick<Rehearsed, "clusterId" | "marker">> {
  const client = (token?: string) => new Vault(road, throwAwayPod, { signal }, token);
  const opened: Vault[] = [];
  const as = (token?: string) => {
    const vault = client(token);
    opened.push(vault);
    return vault;
  };
  try {
    const blank = as();
    await until("the copy to answer", () => blank.sealStatus(), step);
    // A Vault that runs keeps the numbers of its own initialisation, also when it is given another's storage.
    const { shares, threshold } = facts.seal ?? { shares: keys.shares.length, threshold: keys.threshold };
    const first = await blank.init(shares, threshold);
    for (const share of first.shares.slice(0, threshold)) await blank.unseal(share);
    const leader = await until("the copy to lead", () => leaderAmong([as(first.rootToken)]), step);
    await sendSnapshot(leader, file, { force: true });
    const sealed = async () => {
      if (!(await blank.sealStatus()).sealed) throw new NotYet("the copy is not sealed yet");
    };
    await until("the snapshot to be in place", sealed, step);
    say("the snapshot is in place; it is unsealed with the shares of its time");
    const unsealing = { ...keys, stack, stackDir, reach };
    await unsealNode(blank, unsealing, { ...step, say: () => {} });
    const own = await until("the copy to lead", () => leaderAmong([as(keys.rootToken)]), step);
    // The stack's token may be none that reads secrets, or a later one; the shares make one that does.
    const { rootToken } = await proveShares(as, keys);
    const restored = as(rootToken);
    const { cluster_id: clusterId } = await restored.sealStatus();
    if (record?.clusterId !== undefined && clusterId !== record.clusterId)
      throw new CommandError(
        `The copy is of the Vault ${clusterId}, and the snapshot was taken of ${record.clusterId}.`,
      );
    const marker = record?.marker === undefined ? undefined : await own.read(markerName).catch(notOurs);
    if (marker !== undefined && marker !== record?.marker)
      throw new CommandError(
        `What was written just before the snapshot of raft index ${facts.index} is not in it.`,
      );
    const read = await readAll(
      Array.from({ length: readers }, () => as(rootToken)),
      (count) => say(`${count} secrets were read`),
    );
    return { clusterId, marker: marker === undefined ? undefined : true, ...read };
  } finally {
    for (const vault of opened) vault.close();
  }
}

/** The marker is in the cubbyhole of the token that took the snapshot; another one cannot read it. */
function notOurs(error: unknown): undefined {
  if (error instanceof VaultError && error.status === 403) return undefined;
  throw error;
}
