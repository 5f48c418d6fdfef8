/** Everything that a migration does once it is begun. Each step finds out what is done already. */
import { join } from "node:path";
import type { Progress } from "../../setup/progress.ts";
import type { Stack } from "../../setup/stack.ts";
import { kubeconfigPath } from "../../steps/lib/cluster.ts";
import { within } from "../../steps/lib/wait.ts";
import type { Place } from "../adopt/found.ts";
import { deleteData, handOver, stopStandalone } from "./hand-over.ts";
import { onVolume } from "./migration-pod.ts";
import { type Record, writeRecord } from "./record.ts";
import { migrateVolume } from "./volume.ts";

/** How long Kubernetes may take for one thing, and a copy of the volume with its migration, in seconds. */
const [waitSeconds, moveSeconds] = [180, 3600];

/** The copy of the volume. */
export const copyPath = (stackDir: string) => join(stackDir, "standalone-data-vault-0.tar");

/**
 * @param stackDir the stack's folder, as messages name it
 * @param flagged settings that somebody gave beside those of the stack's file
 */
export async function goOn(
  stack: Stack,
  stackDir: string,
  { record, flagged }: { record: Record; flagged: { [key: string]: string } },
  place: Place,
  progress: Progress,
): Promise<void> {
  const wait = (say: (line: string) => void, seconds = waitSeconds) =>
    within({ say, signal: place.signal }, seconds);
  await progress.step("stop the Standalone", ({ line }) => stopStandalone(place, wait(line)));
  if (record.way === "keep data")
    await progress.step("bring the data into Raft", async ({ line }) => {
      const access = { kubeconfig: kubeconfigPath(stackDir), env: stack.env };
      const copy = copyPath(stackDir);
      await onVolume(record.set, place, access, wait(line, moveSeconds), (volume) =>
        migrateVolume(volume, { copy }, line),
      );
    });
  else await progress.step("delete its data", ({ line }) => deleteData(place, wait(line)));
  await progress.step("hand over to the stack", ({ line }) =>
    handOver(stack, { ...flagged, ...record.settings }, place, wait(line)),
  );
  await writeRecord(stack.dir, { ...record, reached: "handed over" });
}
