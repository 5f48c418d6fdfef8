import { words } from "../../steps/lib/errors.ts";
import type { Vault } from "../../steps/lib/vault.ts";
import { isHealthyVoter, whyNoVoter } from "../../steps/lib/voters.ts";
import { mayPass } from "../../steps/lib/wait.ts";

/** What a rehearsal finds of a cluster. */
export interface Health {
  /** The one node that leads; undefined where there is none, or two say that they do. */
  leader: string | undefined;
  problems: Problem[];
}

export interface Problem {
  found: string;
  /** Where `npm run up` mends it: it unseals, and brings in what has not joined. */
  upHelps: boolean;
  /** A node that wants its shares; where people hold them, they open it. */
  sealed?: true;
}

/** Looks once whether all nodes are unsealed voters in autopilot's good opinion, under one leader. */
export async function healthOf(vaults: readonly Vault[]): Promise<Health> {
  const problems: Problem[] = [];
  const leaders: Vault[] = [];
  const see = (found: string, upHelps = false) => void problems.push({ found, upHelps });
  await Promise.all(
    vaults.map(async (vault) => {
      try {
        const { initialized, sealed } = await vault.sealStatus();
        if (!initialized) see(`${vault.node} is not initialised`, true);
        else if (sealed) problems.push({ found: `${vault.node} is sealed`, upHelps: true, sealed: true });
        else if ((await vault.leader()).is_self) leaders.push(vault);
      } catch (error) {
        if (!mayPass(error)) throw error;
        see(words(error));
      }
    }),
  );
  const [leader] = leaders;
  if (leader === undefined) see("no node says that it leads");
  else if (leaders.length > 1)
    see(`${leaders.map(({ node }) => node).join(" and ")} each say that they lead`);
  else problems.push(...(await raftProblems(leader, vaults)));
  return { leader: leaders.length === 1 ? leader?.node : undefined, problems };
}

async function raftProblems(leader: Vault, vaults: readonly Vault[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  try {
    const [servers, autopilot] = [await leader.raftServers(), await leader.autopilotState()];
    for (const { node } of vaults) {
      const server = servers.find(({ node_id }) => node_id === node);
      if (server === undefined)
        problems.push({ found: `${node} is not in the raft configuration`, upHelps: true });
      else if (!server.voter || !isHealthyVoter(autopilot, node))
        problems.push({ found: whyNoVoter(autopilot, node), upHelps: false });
    }
    if (problems.length === 0 && autopilot.failure_tolerance < 1)
      problems.push({
        found: `autopilot's failure tolerance is ${autopilot.failure_tolerance}: no node may fail`,
        upHelps: false,
      });
  } catch (error) {
    if (!mayPass(error)) throw error;
    problems.push({ found: words(error), upHelps: false });
  }
  return problems;
}
