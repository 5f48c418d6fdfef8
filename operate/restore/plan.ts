/** What a restore would do, found out before anything is changed. */
import { CommandError } from "../../setup/command.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { leaderAmong } from "../../steps/lib/leading.ts";
import { readSnapshot, type SnapshotFacts } from "../../steps/lib/snapshot-file.ts";
import { readRecord, type SnapshotRecord } from "../../steps/lib/snapshot-record.ts";
import { isOlder } from "../../steps/lib/vault-version.ts";
import type { VaultKeys } from "../open-vault.ts";
import { type Begun, readBegun } from "./begun.ts";
import { type Restoring, vaultsWith } from "./restoring.ts";

/** A restore that can be done. */
export interface Plan {
  file: string;
  facts: SnapshotFacts;
  /** What was noted when it was saved; undefined for a snapshot that was made by other means. */
  record: SnapshotRecord | undefined;
  /** Whether the nodes are sealed by it and want the snapshot's own shares. */
  force: boolean;
  /** The Vault that runs; undefined where a former run of this restore was cut off and nobody leads. */
  live: { leader: string; clusterId: string | undefined; index: number; version: string } | undefined;
  /** A former run of this restore that did not end. */
  begun: Begun | undefined;
}

/**
 * Reads the snapshot and looks at the Vault that runs.
 * @throws CommandError with everything that speaks against it. Nothing has been changed.
 */
export async function planRestore(restoring: Restoring): Promise<Plan> {
  const { file, stackDir, fromCluster, keys, stack } = restoring;
  const facts = await readSnapshot(file);
  const [record, left] = [await readRecord(file), await readBegun(stackDir)];
  const begun = left?.sha256 === facts.sha256 ? left : undefined;
  const live = await liveOf(restoring, keys.rootToken);
  const plan: Plan = { file, facts, record, force: fromCluster !== undefined, live, begun };
  const problems = problemsOf(plan, fromCluster, keys);
  if (live === undefined && begun === undefined)
    problems.push(
      `no node leads, and Vault takes a snapshot only where one does. Unseal it first: npm run ${keys.byHolders ? "unseal" : "up"} -- --stack ${stack}`,
    );
  if (problems.length > 0)
    throw new CommandError(`${file} is not restored; nothing was changed.\n  ${problems.join("\n  ")}`);
  return plan;
}

async function liveOf(restoring: Restoring, token: string): Promise<Plan["live"]> {
  const vaults = vaultsWith(restoring, token);
  try {
    const leader = await leaderAmong(vaults);
    const [status, { raft_committed_index: index = 0 }] = [await leader.sealStatus(), await leader.leader()];
    return { leader: leader.node, clusterId: status.cluster_id, index, version: status.version };
  } catch (error) {
    if (error instanceof NotYet) return undefined;
    throw error;
  } finally {
    for (const vault of vaults) vault.close();
  }
}

/** What speaks against a restore, each in words. */
export function problemsOf(
  { file, facts, record, live, begun }: Omit<Plan, "force">,
  fromCluster: string | undefined,
  { seal = "shamir", byHolders }: Pick<VaultKeys, "seal" | "byHolders"> = {},
): string[] {
  const problems: string[] = [];
  if (facts.seal !== undefined && facts.seal.type !== seal)
    problems.push(
      `it is a snapshot of a Vault that ${unsealedBy(facts.seal.type)}, and this one ${unsealedBy(seal)}: what is in it could not be opened here. Restore it into a stack with that seal, and the same key (docs/seal.md, Snapshots)`,
    );
  const of = record?.clusterId;
  if (record !== undefined && record.sha256 !== facts.sha256)
    problems.push(
      `it is not the snapshot that ${file}.json was written for (SHA-256 ${facts.sha256}, noted ${record.sha256})`,
    );
  if (fromCluster !== undefined && of !== undefined && fromCluster !== of)
    problems.push(`it is a snapshot of the Vault ${of}, not of ${fromCluster}`);
  if (fromCluster === undefined && begun === undefined && of !== undefined && live && of !== live.clusterId)
    problems.push(
      `it is a snapshot of another Vault: of ${of}, and ${live.clusterId} runs. ${byHolders ? `A stack whose shares people hold takes none of other shares; ${byHand}` : `To put that one in its place, with its own shares and tokens: --from-cluster ${of}`}`,
    );
  if (live && facts.vaultVersion !== undefined && isNewer(facts.vaultVersion, live.version))
    problems.push(
      `Vault ${facts.vaultVersion} has written it, and ${live.version} runs: Vault does not read what a newer one has stored`,
    );
  return problems;
}

/** How a snapshot is opened whose shares no stack holds. */
export const byHand =
  "the holders of its time open it in a Vault that is raised by hand (docs/custody.md, Snapshots)";

/** Whether the snapshot's version is of a later major or minor release; patch releases store alike. */
function isNewer(version: string, running: string): boolean {
  return isOlder(running.split(".").slice(0, 2).join("."), version) === true;
}

const unsealedBy = (seal: string) =>
  seal === "shamir" ? "key shares unseal (shamir)" : `the seal ${seal} unseals`;
