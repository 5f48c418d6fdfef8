import { z } from "zod";
import { StepError, words } from "./lib/errors.ts";
import { asIdentity, type Difference, differences, Identity, identityOf } from "./lib/identity.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import { initialisedAt, readKeys } from "./lib/keys-file.ts";
import { previousAnswer } from "./lib/previous-answer.ts";
import { openRoad } from "./lib/reach.ts";
import type { Road } from "./lib/road.ts";
import { giveUpCommand, kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({ pods: z.array(z.string().min(1)).min(1) });
type Input = z.output<typeof Input>;

/**
 * Sees to it that the stack works on the Vault it knows, before anything else is done to it: the same Kubernetes
 * cluster, and the same store behind each node. What is found at a first run is pinned: its answer stays in the
 * stack's state and every later run is held against it.
 */
await runStep("identity", Input, async (input, step) => {
  const { pods, stackDir, giveUp } = input;
  const road = await openRoad(input);
  const found = await until(
    "the stores of all pods",
    () => identityOf(road, pods, step.signal),
    step,
    kubectl(input, "get pods,pvc"),
  );
  // The journal knows of one store, also where the state that pinned them all is lost.
  const known = previousAnswer(Identity) ?? fromJournal(await readKeys(stackDir), pods);
  const differing = differences(known, found);
  const refused = differing.filter(({ known }) => !giveUp.includes(known));
  if (refused.length > 0) throw await refusal(refused, road, input, step);
  for (const { what, known, found } of differing)
    step.say(`${what}: ${known} was given up; ${found} takes its place`);
  if (differing.length === 0) step.say(`known: ${Object.keys(found.stores).length} stores`);
  // A pod that the stack runs no more has left, and its volume with it: one of that name begins with another.
  return asIdentity(found.kubernetes ?? known.kubernetes, Object.entries(found.stores));
});

function fromJournal(keys: Awaited<ReturnType<typeof readKeys>>, pods: string[]): Identity {
  // An intent alone may have come to nothing: init judges that.
  if (keys?.pvcUid === undefined || initialisedAt(keys) === undefined || !pods.includes(keys.pod))
    return { stores: {} };
  return { stores: { [keys.pod]: keys.pvcUid } };
}

async function refusal(refused: Difference[], road: Road, input: Input, step: Step): Promise<StepError> {
  const other = refused.find(({ what }) => what === "kubernetes");
  if (other !== undefined)
    return new StepError(
      `this is another Kubernetes cluster than the stack's. Known: ${other.known}; found: ${other.found} (UIDs of the namespace kube-system). Nothing was changed, and no share was sent. Does the kubeconfig point at the right cluster?`,
      kubectl(input, "cluster-info"),
    );
  const lines = await Promise.all(refused.map((each) => line(each, road, step)));
  return new StepError(
    `${lines.join("\n")}
Nothing was changed: a blank store is not initialised, and a store of somebody else's gets no share. The ways out:
- bring the known volumes back;
- where a majority of the nodes still has its data: take the lost node out of the raft configuration (vault operator raft remove-peer ${refused[0]?.what}), give its old store up with the command below, and it joins again;
- to lose what the known stores held, and begin anew or restore a snapshot into the blank ones: the same command, and the next run says what comes after it. The keys file is kept under another name: snapshots need its shares`,
    giveUpCommand(
      input,
      refused.map(({ known }) => known),
    ),
  );
}

async function line({ what, known, found, formerly }: Difference, road: Road, step: Step): Promise<string> {
  const swapped = formerly === undefined ? "" : `, which was the store of ${formerly}`;
  const state = await new Vault(road, what, step)
    .sealStatus()
    .then(({ initialized }) => (initialized ? "not blank" : "blank"))
    .catch((error) => `not asked: ${words(error)}`);
  return `${what} runs on another store than the stack knows. Known: ${known}; found: ${found}${swapped} (${state})`;
}
