/** The steps about the cluster itself, and about what is left in it at the end. */
import { stackLabel } from "../../components/cluster.ts";
import type { Settings } from "../../config.ts";
import { shellWord } from "../../setup/shell-word.ts";
import type { Sources } from "../../sources.ts";
import { kindCreate } from "./by-hand.ts";
import type { ExplainedStep } from "./steps.ts";

/** The cluster: kind's, or one that exists. */
export function explainedCluster(stack: string, settings: Settings, sources: Sources): ExplainedStep {
  const { existing, workers } = settings.cluster;
  if (existing)
    return {
      title: `the Kubernetes cluster of the context ${existing.context}, which exists`,
      resources: ["cluster-provider"],
      byHand: [`kubectl config use-context ${shellWord(existing.context)}`, "kubectl auth can-i --list"],
      here: [
        "Every right that a step needs is asked for before anything is made (self subject access reviews); all that lack are named at once, with the roles that grant them.",
        `Vault's namespace gets the label ${stackLabel}. One that is there without it is somebody else's, and is refused.`,
      ],
      trap: "kubectl's current context is whatever was used last. Here the context is a setting, and the identity step compares the cluster with the one that is known.",
    };
  return {
    title: `a Kubernetes cluster in Docker: 1 control-plane, ${workers} workers`,
    resources: ["cluster-suffix", "cluster-create", "cluster-provider"],
    byHand: [kindCreate(`vault-ha-${stack}`, settings, sources.nodeImage)],
    here: [
      "A random suffix in the name and a Docker network of its own keep two checkouts apart. ~/.kube/config is not touched.",
      "A whole cluster is taken as it is, and its stopped nodes are started. A half-made one is made anew, but never where this stack has the keys of a Vault that may be in it.",
    ],
  };
}

/** On a cluster that exists, where destroy takes the volumes: what is done about the keys at the end. */
export function explainedForgetting(journal: string): ExplainedStep {
  return {
    title: "nothing yet; at the end of the stack, its keys are removed",
    resources: ["vault-keys"],
    byHand: [],
    here: [`destroy removes ${journal} once no volume is left that its shares open.`],
  };
}

/** On a cluster that exists, where destroy leaves the volumes: what is done about the keys at the end. */
export function explainedKeeping(journal: string): ExplainedStep {
  return {
    title: "nothing yet; at the end of the stack, its keys are kept",
    resources: ["lifecycle-keys"],
    byHand: [],
    here: [
      `destroy leaves the volumes and sees to it that their keys are in ${journal}: the state that has them ends with the stack. The next run of a stack of this name takes both up again.`,
    ],
    trap: "Volumes outlive a helm uninstall, and a state that is removed may have held the only copy of their keys.",
  };
}
