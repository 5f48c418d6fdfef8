/**
 * From running pods to a proved Vault, one step after the other:
 *
 *   init vault-0 -> unseal vault-0
 *     -> join vault-1 -> unseal vault-1 -> vault-1 is a voter -> the same for each further node -> verify
 *
 * One node joins at a time: two joins at once can eject a node on a slow machine (hashicorp/vault#32099).
 */
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { containerIdentities } from "../steps/lib/pods.ts";
import type { KindCluster } from "./kind-cluster.ts";
import { type DeclaredStep, declareStep, type StepArgs, type StepName } from "./step.ts";
import type { VaultRelease } from "./vault-release.ts";

export interface VaultLifecycleArgs {
  cluster: KindCluster;
  vault: VaultRelease;
  settings: Pick<Settings, "vault" | "timeouts">;
  /** Folder for the file with the shares and the root token, relative to the project. */
  stackDir: string;
}

/** A Raft peer as the verify step found it. */
export interface Peer {
  node: string;
  address: string;
  state: "leader" | "follower";
  voter: boolean;
}

interface InitAnswer {
  /** The key shares, base64. */
  shares: string[];
  rootToken: string;
}

export class VaultLifecycle extends pulumi.ComponentResource {
  /** The root token. Secret. */
  readonly rootToken: pulumi.Output<string>;
  /** The key shares, base64. Secret. */
  readonly shares: pulumi.Output<string[]>;
  readonly peers: pulumi.Output<Peer[]>;

  constructor(name: string, args: VaultLifecycleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:vault:VaultLifecycle", name, {}, opts);
    const { cluster, vault, settings } = args;
    const [first, ...others] = vault.pods as [string, ...string[]];
    const containers = runningContainers(cluster, vault, settings.timeouts.podSeconds);
    const container = (pod: string) => containers.apply((byPod) => byPod[pod] ?? "unknown");

    const target = {
      stack: pulumi.getStack(),
      stackDir: args.stackDir,
      scheme: vault.scheme,
      reach: { kind: "kubernetes", kubeconfig: cluster.kubeconfig, namespace: vault.namespace },
      timeoutSeconds: settings.timeouts.stepSeconds,
    };
    let before: command.local.Command[] = [];
    /** Declares the next step of the runbook: it starts when the one before has ended. */
    const next = <Answer>(
      step: StepName,
      noun: string,
      input: object,
      more: Partial<StepArgs> = {},
    ): DeclaredStep<Answer> => {
      const declared = declareStep<Answer>(
        `${name}-${noun}`,
        { step, input: { ...target, ...input }, triggers: [cluster.instance], ...more },
        { parent: this, dependsOn: [vault.release, ...before], deletedWith: cluster.creation },
      );
      before = [declared.resource];
      return declared;
    };

    const { shares, threshold } = settings.vault;
    const init = next<InitAnswer>(
      "init",
      `init-${first}`,
      { pod: first, shares, threshold },
      { keepsAnswer: true },
    );
    this.shares = pulumi.secret(init.answer.shares);
    this.rootToken = pulumi.secret(init.answer.rootToken);

    // A container that restarted is sealed again: another identity here makes its unseal run again.
    const unseal = (pod: string) =>
      next(
        "unseal",
        `unseal-${pod}`,
        { pod, shares: this.shares, threshold },
        { facts: { CONTAINER: container(pod) } },
      );

    unseal(first);
    for (const pod of others) {
      next("join", `join-${pod}`, { pod, leader: first, token: this.rootToken });
      unseal(pod);
      next("voter", `voter-${pod}`, { pod, token: this.rootToken });
    }
    const verify = next<{ peers: Peer[] }>(
      "verify",
      "verify",
      { pods: vault.pods, token: this.rootToken },
      { facts: { CONTAINERS: containers.apply((byPod) => Object.values(byPod).join(" ")) } },
    );
    this.peers = pulumi.unsecret(verify.answer.peers);
    this.registerOutputs({ peers: this.peers });
  }
}

/**
 * The container that runs in each Vault pod, asked of Kubernetes at every preview and update.
 * An update waits until all of them run. A preview tells what is there now, and goes on where nobody answers:
 * then the update has to say what is wrong.
 */
function runningContainers(
  cluster: KindCluster,
  vault: VaultRelease,
  podSeconds: number,
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
    pulumi.all([cluster.kubeconfig, vault.release.id]).apply(([kubeconfig]) => look(kubeconfig)),
  );
}
