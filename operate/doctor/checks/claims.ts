import { shortUid } from "../../status/names.ts";
import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether each claim (PVC) is the one that is known, has a volume, and belongs to a pod. */
export const claims: Check = {
  looks: "each claim (PVC): bound, known to the stack, of a pod that exists, and no older than the release",
  *find({ subject, kubernetes, cluster, pulumi, journal }) {
    if (!kubernetes?.value) return;
    const { kubectl, doctor } = commandsOf(subject);
    const created = cluster?.value?.statefulSet?.metadata.creationTimestamp;
    for (const claim of kubernetes.value.claims) {
      const node = /^data-(.+)$/.exec(claim.name)?.[1];
      if (node === undefined) continue;
      const ours = subject.pods.includes(node);
      const nodes = ours ? [node] : [];
      const since = claim.createdAt ? { since: claim.createdAt } : {};
      const get = `kubectl get pvc ${claim.name}`;
      const pinned = pulumi.pinned.stores[node];
      const known = pinned ?? (journal.value?.pod === node ? journal.value.store : undefined);
      if (claim.phase !== "Bound") {
        const event = cluster?.value?.events.findLast(
          ({ involvedObject }) => involvedObject.name === claim.name,
        );
        yield {
          id: claim.phase === "Lost" ? "claim-lost" : "claim-pending",
          nodes,
          ...since,
          wrong: `the claim ${claim.name} has no volume (${claim.phase})`,
          evidence: [
            { asked: get, answered: `phase ${claim.phase}` },
            ...(event
              ? [{ asked: `last event of ${claim.name}`, answered: `${event.reason}: ${event.message}` }]
              : []),
          ],
          means:
            claim.phase === "Lost"
              ? "Its volume was deleted, and the node's copy of the data with it. The others have the data as long as they are a majority."
              : "Its pod does not start before it has one. The event says what the storage waits for; a StorageClass that does not exist never comes.",
          next: [kubectl(`describe pvc ${claim.name}`), kubectl("get storageclass")],
        };
      }
      if (!ours)
        yield {
          id: "claim-orphan",
          nodes: [],
          ...since,
          wrong: `the claim ${claim.name} belongs to no pod of this stack`,
          evidence: [
            { asked: get, answered: `${claim.phase}, UID ${claim.uid}` },
            { asked: "pods that the stack runs", answered: subject.pods.join(", ") },
          ],
          means: `If the stack ever grows to ${node}, that pod takes this old store up: it would carry the data, and the raft identity, of another time. A claim outlives its pod and a helm uninstall.`,
          next: ["# only if nothing of that store is needed any more:", kubectl(`delete pvc ${claim.name}`)],
        };
      else if (known !== undefined && known !== claim.uid)
        yield {
          id: "claim-other",
          nodes,
          ...since,
          wrong: `${node} runs on another store than the stack knows`,
          evidence: [
            {
              asked: pinned ? `Pulumi's state: the store of ${node}` : `the journal: the store of ${node}`,
              answered: known,
            },
            { asked: `${get}: UID`, answered: claim.uid },
          ],
          means: `The claim was deleted and made anew: ${shortUid(claim.uid)} does not hold what ${shortUid(known)} held. npm run up refuses to go on, and names the ways out.`,
          next: [
            kubectl("get pv"),
            `${doctor.replace("doctor", "up")}   # says what can be done; it changes nothing yet`,
          ],
        };
      else if (known === undefined && created !== undefined && claim.createdAt && claim.createdAt < created)
        yield {
          id: "claim-old",
          nodes,
          ...since,
          wrong: `the claim ${claim.name} is older than the release, and the stack does not know it`,
          evidence: [
            { asked: `${get}: created`, answered: claim.createdAt },
            { asked: "kubectl get statefulset vault: created", answered: created },
          ],
          means: `It is of an earlier release, whose claims outlived it. ${node} starts on that old store: initialised already, and sealed with the earlier release's keys.`,
          next: [
            kubectl(`describe pvc ${claim.name}`),
            "# only if nothing of that store is needed any more:",
            kubectl(`delete pvc/${claim.name} pod/${node}`),
          ],
        };
    }
  },
};
