import { NotYet } from "../../steps/lib/errors.ts";
import type { Road } from "../../steps/lib/road.ts";
import { until, type Waiting } from "../../steps/lib/wait.ts";
import { judgeRead, type Loss, type Write } from "./ledger.ts";
import { NodeClient } from "./node-client.ts";

/** How long one read may take, in milliseconds. */
const giveUpMs = 5_000;

export interface ReadBackOptions {
  road: Road;
  node: string;
  token: string;
  mount: string;
}

/**
 * Reads every one of these writes back through a node, and gives those that are not there as they were acknowledged.
 * @throws StepError where the node does not say so before the deadline; a write is then neither kept nor lost
 */
export async function readBack(
  acknowledged: readonly Write[],
  { road, node, token, mount }: ReadBackOptions,
  step: Waiting,
): Promise<Loss[]> {
  const losses: Loss[] = [];
  const client = new NodeClient(road, node, step.signal, token);
  try {
    for (const write of acknowledged) {
      const read = async () => {
        const answer = await client.ask("GET", `${mount}/${write.key}`, { timeoutMs: giveUpMs });
        const verdict = answer === undefined ? "unsaid" : judgeRead(write, node, answer);
        if (verdict !== "unsaid") return verdict;
        throw new NotYet(`${node} answered ${answer === undefined ? "nothing" : answer.status}`);
      };
      const verdict = await until(`${write.key} to be read through ${node}`, read, step);
      if (verdict !== "kept") losses.push(verdict);
    }
    return losses;
  } finally {
    client.close();
  }
}
