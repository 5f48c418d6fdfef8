import { CommandError } from "../../setup/command.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { markerName } from "../../steps/lib/snapshot.ts";
import { VaultError } from "../../steps/lib/vault-error.ts";
import { until, within } from "../../steps/lib/wait.ts";
import { healthOf } from "../rehearsal/health.ts";
import type { Plan } from "./plan.ts";
import { type Restoring, vaultsWith } from "./restoring.ts";

/** What was seen of the Vault after the restore. */
export interface Proved {
  leader: string;
  clusterId: string | undefined;
  voters: number;
  /** true: what was written just before the snapshot was read back; undefined where nothing was noted of that. */
  marker: true | undefined;
}

/**
 * Waits until every node is an unsealed voter again, and reads back what was written just before the snapshot.
 * @throws CommandError where the state is not the snapshot's
 */
export async function prove({ record }: Plan, token: string, restoring: Restoring): Promise<Proved> {
  const { say, stack, timeoutSeconds } = restoring;
  const vaults = vaultsWith(restoring, token);
  try {
    const look = async () => {
      const { leader, problems } = await healthOf(vaults);
      const serious = problems.filter(
        ({ found }) => !/failure tolerance is 0/.test(found) || vaults.length > 1,
      );
      const through = vaults.find(({ node }) => node === leader);
      if (through === undefined || serious.length > 0)
        throw new NotYet(serious.map(({ found }) => found).join("; "));
      return through;
    };
    const next = `npm run doctor -- --stack ${stack}`;
    const leader = await until("all nodes to be voters", look, within(restoring, timeoutSeconds), next);
    const { cluster_id: clusterId } = await leader.sealStatus();
    const marker = record?.marker === undefined ? undefined : await leader.read(markerName).catch(missing);
    if (marker !== undefined && marker !== record?.marker)
      throw new CommandError(
        `Vault stands, but what was written just before the snapshot is not there (${markerName}): its state is not that of ${record?.savedAt}.\nNext: npm run doctor -- --stack ${stack}`,
      );
    say(
      `${vaults.length} voters, ${leader.node} leads${marker ? "; the snapshot's marker was read back" : ""}`,
    );
    return {
      leader: leader.node,
      clusterId,
      voters: vaults.length,
      marker: marker === undefined ? undefined : true,
    };
  } finally {
    for (const vault of vaults) vault.close();
  }
}

function missing(error: unknown): string {
  if (error instanceof VaultError && error.status === 404) return "";
  throw error;
}
