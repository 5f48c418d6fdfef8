/**
 * What the program asks of Kubernetes and Vault at every preview and update, so that a difference from what the state
 * knows shows as a step to run. All of it is public: previews show it.
 */
import * as pulumi from "@pulumi/pulumi";
import { clusterIdOf } from "../steps/lib/cluster-id.ts";
import { identityOf } from "../steps/lib/identity.ts";
import { openKube } from "../steps/lib/kube.ts";
import { schemeOf, seemsToLead } from "../steps/lib/pod.ts";
import { containerIdentities, getPod } from "../steps/lib/pods.ts";
import { openRoad } from "../steps/lib/reach.ts";
import type { Way } from "../steps/lib/target.ts";
import { until } from "../steps/lib/wait.ts";
import type { Cluster } from "./cluster.ts";
import type { VaultRelease } from "./vault-release.ts";

/** What stands for something that could not be asked. */
const unknown = "unknown";

/**
 * The container that runs in each Vault pod, asked of Kubernetes at every preview and update.
 * An update waits until all of them run. A preview tells what is there now, and goes on where nobody answers:
 * then the update has to say what is wrong.
 * @param after what has to be known before, because it may start containers anew
 */
export function runningContainers(
  cluster: Cluster,
  vault: VaultRelease,
  podSeconds: number,
  after: pulumi.Input<unknown>,
): pulumi.Output<Record<string, string>> {
  const preview = pulumi.runtime.isDryRun();
  const look = async (kubeconfig: string): Promise<Record<string, string>> => {
    try {
      return await containerIdentities(kubeconfig, vault.namespace, vault.pods, {
        waitSeconds: preview ? 0 : podSeconds,
        say: (line) => void pulumi.log.info(line, vault.release, undefined, true),
      });
    } catch (error) {
      if (!preview)
        throw new pulumi.RunError(
          `${(error as Error).message}\n  npm run up   (starts the cluster's nodes where they are stopped)`,
        );
      await pulumi.log.warn(
        `${(error as Error).message}; this preview does not know which pods run`,
        vault.release,
      );
      return {};
    }
  };
  return pulumi.unsecret(
    pulumi.all([cluster.kubeconfig, vault.release.id, after]).apply(([kubeconfig]) => look(kubeconfig)),
  );
}

/** Says in a preview which nodes an update restarts, where they speak HTTP and are to speak HTTPS, or the reverse. */
export function announceRestarts(cluster: Cluster, vault: VaultRelease, about: pulumi.Resource): void {
  if (!pulumi.runtime.isDryRun()) return;
  const look = async (kubeconfig: string) => {
    const kube = await openKube(kubeconfig);
    const signal = AbortSignal.timeout(10_000);
    const pods = await Promise.all(vault.pods.map((pod) => getPod(kube, vault.namespace, pod, signal)));
    const turned = pods.filter((pod) => ![undefined, vault.scheme].includes(schemeOf(pod)));
    const names = turned
      .toSorted((one, other) => Number(seemsToLead(one)) - Number(seemsToLead(other)))
      .map((pod) => `${pod.metadata.name}${seemsToLead(pod) ? " (leads)" : ""}`);
    if (names.length === 0) return;
    await pulumi.log.warn(
      `Vault is to speak ${vault.scheme.toUpperCase()} from now on: ${names.join(", then ")} ${names.length > 1 ? "are restarted one at a time, each" : "is restarted,"} unsealed and a healthy voter before the next. No acknowledged write is lost. Clients have to use ${vault.scheme}:// with each node that has changed.`,
      about,
    );
  };
  // Who cannot be asked is named elsewhere; before there are pods there is nothing to say.
  cluster.kubeconfig.apply((kubeconfig) => look(kubeconfig).catch(() => {}));
}

/**
 * The Kubernetes cluster and the store of each pod, by their UIDs. An update waits until the claims are there; a
 * preview tells what is there now.
 */
export function knownIdentity(
  cluster: Cluster,
  vault: VaultRelease,
  podSeconds: number,
): Record<"KUBERNETES" | "STORES", pulumi.Output<string>> {
  const limit = pulumi.runtime.isDryRun() ? 0 : podSeconds;
  const identity = pulumi.unsecret(
    pulumi.all([cluster.kubeconfig, vault.release.id]).apply(([kubeconfig]) => {
      const signal = AbortSignal.timeout((limit + 10) * 1000);
      const wait = { say: () => {}, signal, deadline: Date.now() + limit * 1000, timeoutSeconds: limit };
      const look = async () => identityOf(await openRoad(wayTo(vault, kubeconfig)), vault.pods, signal);
      // An update's own step says what is wrong; a preview says elsewhere that nobody answers.
      return until("the claims of all pods", look, wait).catch(() => undefined);
    }),
  );
  const stores = (all: Record<string, string>) => Object.entries(all).map(([pod, uid]) => `${pod}=${uid}`);
  return {
    KUBERNETES: identity.apply((it) => it?.kubernetes ?? unknown),
    STORES: identity.apply((it) => (it ? stores(it.stores).join(" ") : unknown)),
  };
}

/**
 * The id of the Vault that answers in the pods; the known one where none is unsealed or answers soon.
 * @param known as the unseal of the first node pinned it
 */
export function answeringVault(
  cluster: Cluster,
  vault: VaultRelease,
  known: pulumi.Output<string | undefined>,
): pulumi.Output<string> {
  return pulumi.unsecret(
    pulumi.all([cluster.kubeconfig, known]).apply(async ([kubeconfig, known]) => {
      const found = await clusterIdOf(wayTo(vault, kubeconfig), vault.pods);
      return found ?? known ?? unknown;
    }),
  );
}

function wayTo(vault: VaultRelease, kubeconfig: string): Way {
  return { reach: vault.reach(kubeconfig), scheme: vault.scheme };
}
