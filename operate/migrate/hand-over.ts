/** What ends a Standalone and gives its namespace and volume to a stack. Each can be done again. */
import { z } from "zod";
import { stackLabel } from "../../components/cluster.ts";
import type { Stack } from "../../setup/stack.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { until, type Waiting } from "../../steps/lib/wait.ts";
import type { Place } from "../adopt/found.ts";
import { removeNotes, writeSettings } from "../adopt/take-over.ts";
import { claimName, pod } from "./found.ts";

/** Waits until an object is no more. */
async function gone(path: string, what: string, { kube }: Place, step: Waiting): Promise<void> {
  await until(
    `${what} to be gone`,
    async () => {
      if (await kube.get(path, z.unknown(), step.signal)) throw new NotYet("it is still there");
    },
    step,
  );
}

const setPath = ({ namespace }: Place) => `/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`;

/** Ends its Vault, and leaves all else: `kubectl scale statefulset vault --replicas=1` brings it back. */
export async function stopStandalone(place: Place, step: Waiting): Promise<void> {
  const { kube, namespace } = place;
  if (await kube.get(setPath(place), z.unknown(), step.signal))
    await kube.patch(setPath(place), { spec: { replicas: 0 } }, step.signal);
  await gone(`/api/v1/namespaces/${namespace}/pods/${pod}`, `the pod ${pod}`, place, step);
}

/** Deletes the volume's claim, and with it, as its storage class has it, the data. */
export async function deleteData(place: Place, step: Waiting): Promise<void> {
  const path = `/api/v1/namespaces/${place.namespace}/persistentvolumeclaims/${claimName}`;
  await place.kube.delete(path, step.signal);
  await gone(path, `the claim ${claimName}`, place, step);
}

/** Makes the namespace the stack's: its settings, no StatefulSet in the new one's way, no note of Helm's, the label. */
export async function handOver(
  stack: Stack,
  settings: Record<string, string>,
  place: Place,
  step: Waiting,
): Promise<void> {
  const { kube, namespace } = place;
  await stack.create(step.say);
  await writeSettings(stack, settings);
  await kube.delete(setPath(place), step.signal);
  await gone(setPath(place), "the StatefulSet vault", place, step);
  await removeNotes(place);
  const labels = { [stackLabel]: stack.name };
  await kube.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels } }, step.signal);
}
