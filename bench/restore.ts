/** How long a restore takes that is proved by reading everything: 10,000 secrets. */
import { z } from "zod";
import { openVault, vaultKeys } from "../operate/open-vault.ts";
import { rehearseRestore } from "../operate/restore/rehearse-restore.ts";
import { leaderAmong } from "../steps/lib/leading.ts";
import { saveSnapshot } from "../steps/lib/snapshot.ts";
import { snapshotFolder } from "../steps/lib/snapshot-record.ts";
import { Vault } from "../steps/lib/vault.ts";
import { until, within } from "../steps/lib/wait.ts";
import { makeTestStack, removeTestStack } from "../test/support/test-stack.ts";
import type { Figure } from "./timing.ts";

/** The number of the bar: at most 60 s from the moment in which the pods run to verified reads. */
const secrets = 10_000;
const barSeconds = 60;

const anything = z.unknown();

/** How many write at the same time. */
const writers = 16;

/** Fills a stack of its own, takes a snapshot, and has its restore proved, `rounds` times. */
export async function benchRestore(rounds: number, say: (line: string) => void): Promise<Figure[]> {
  const test = await makeTestStack({ "vault.tls.enabled": "false" });
  const signal = AbortSignal.timeout(3_600_000);
  try {
    await test.stack.up();
    const { road, pods, target, ...open } = await openVault(test.name);
    const keys = await vaultKeys({ target, ...open });
    if (keys === undefined) throw new Error("the stack has no keys");
    const client = (pod: string) => new Vault(road, pod, { signal }, keys.rootToken);
    const step = within({ say, signal }, 60);
    const leader = await until("a node to lead", () => leaderAmong(pods.map(client)), step);
    await fill(leader, () => client(leader.node), say);
    const stackDir = test.stackDir;
    const folder = snapshotFolder(stackDir);
    const { file, size } = await saveSnapshot(leader, folder, test.name, { say, signal });
    const taken: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const rehearsal = { stack: test.name, stackDir, reach: target.reach, file, keys };
      const proved = await rehearseRestore({ ...rehearsal, timeoutSeconds: 300, say, signal });
      if (proved.secrets !== secrets) throw new Error(`${proved.secrets} of ${secrets} secrets were read`);
      taken.push(proved.seconds);
    }
    return [
      {
        what: `restore of ${secrets.toLocaleString("en")} secrets (${(size / 1024 ** 2).toFixed(1)} MiB), from the pod that runs until each was read`,
        values: taken,
        unit: "s",
        bar: barSeconds,
      },
    ];
  } finally {
    await test.stack.destroy();
    await removeTestStack(test);
  }
}

async function fill(leader: Vault, client: () => Vault, say: (line: string) => void): Promise<void> {
  await leader.enableKv("bench", "of npm run bench");
  let next = 0;
  const write = async () => {
    const vault = client();
    for (let n = next++; n < secrets; n = next++)
      await vault.ask(anything, "POST", `bench/team-${n % 100}/${n}`, {
        user: `user-${n}`,
        password: "x".repeat(200),
      });
    vault.close();
  };
  await Promise.all(Array.from({ length: writers }, write));
  say(`${secrets} secrets were written`);
}
