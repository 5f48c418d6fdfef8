/**
 * From running pods to a proved Vault, one step after the other:
 *
 *   identity -> init vault-0 -> rollout -> unseal vault-0
 *     -> join vault-1 -> unseal vault-1 -> vault-1 is a voter -> the same for each further node -> verify
 *
 * Where people hold the shares (custody.mode pgp), each unseal waits for them, and the stack's own token is waited for
 * after the first one.
 *
 * One node joins at a time: two joins at once can eject a node on a slow machine (hashicorp/vault#32099).
 */
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { bucketPlace, bucketUrl } from "../steps/lib/backup-bucket.ts";
import { hasRaised, keysChangedAt, type PgpAnswer } from "../steps/lib/keys-file.ts";
import type { Cluster } from "./cluster.ts";
import type { Holders } from "./holders.ts";
import { type DeclaredStep, declareStep, type StepArgs, type StepName } from "./step.ts";
import { announceRestarts, answeringVault, knownIdentity, runningContainers } from "./vault-facts.ts";
import type { VaultRelease } from "./vault-release.ts";
import { auditFolder } from "./vault-rules.ts";

export interface VaultLifecycleArgs {
  cluster: Cluster;
  vault: VaultRelease;
  settings: Pick<Settings, "vault" | "audit" | "backup" | "teardown" | "timeouts">;
  /** Who holds the shares; undefined: the stack does. */
  holders?: Holders | undefined;
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
  /** Where people hold the shares: what each of them has, encrypted; then there are no shares and no token here. */
  pgp?: PgpAnswer;
  /** What names the store that was initialised, where that is known. */
  pvcUid?: string;
}

interface UnsealAnswer {
  /** Vault's own id. */
  clusterId?: string;
}

export class VaultLifecycle extends pulumi.ComponentResource {
  /** The root token, or the token of less privilege in its place. Secret. */
  readonly rootToken: pulumi.Output<string>;
  /** The key shares, base64; none where people hold them; with a seal, recovery shares. Secret. */
  readonly shares: pulumi.Output<string[]>;
  /** Where people hold the shares: what each of them has, encrypted. Secret, though it opens nothing. */
  readonly encryptedShares: pulumi.Output<PgpAnswer | undefined> | undefined;
  readonly peers: pulumi.Output<Peer[]>;

  constructor(name: string, args: VaultLifecycleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:vault:VaultLifecycle", name, {}, opts);
    const { cluster, vault, settings, holders } = args;
    const byHolders = holders !== undefined;
    const { retainData, protected: protect } = settings.teardown;
    const [first, ...others] = vault.pods as [string, ...string[]];
    const target = {
      stack: pulumi.getStack(),
      stackDir: args.stackDir,
      scheme: vault.scheme,
      reach: cluster.kubeconfig.apply((kubeconfig) => vault.reach(kubeconfig)),
      timeoutSeconds: settings.timeouts.stepSeconds,
      giveUp: settings.vault.giveUp,
    };
    let before: command.local.Command[] = [];
    /** Declares the next step of the runbook: it starts when the one before has ended. */
    const next = <Answer>(
      step: StepName,
      noun: string,
      input: object,
      more: Partial<StepArgs> = {},
      opts: pulumi.CustomResourceOptions = {},
    ): DeclaredStep<Answer> => {
      const declared = declareStep<Answer>(
        `${name}-${noun}`,
        { step, input: { ...target, ...input }, triggers: [cluster.instance], ...more },
        { parent: this, dependsOn: [vault.release, ...before], ...cluster.end, ...opts },
      );
      before = [declared.resource];
      return declared;
    };

    // Asked of Kubernetes at every run: another answer than the pinned one makes this step run, which judges it.
    next(
      "identity",
      "identity",
      { pods: vault.pods },
      { facts: knownIdentity(cluster, vault, settings.timeouts.podSeconds), keepsAnswer: true },
    );

    const { shares, threshold, seal } = settings.vault;
    const sealed = seal && { seal: seal.type };
    const changedAt = keysChangedAt(args.stackDir);
    const changed = changedAt === undefined ? {} : { facts: { KEYS: changedAt } };
    const keepsAnswer = changedAt === undefined ? ["stdin", "update", "environment"] : ["stdin"];
    const init = next<InitAnswer>(
      "init",
      `init-${first}`,
      { pod: first, shares, threshold, ...sealed, ...(holders && { holders }) },
      { runsAtCreate: true, ...changed },
      // Its answer is the only one that cannot be had again: no change of a setting makes it run again. Keys that took
      // the place of others, as this machine's journal notes, do: the step then answers with those. Elsewhere that
      // fact is not known, and must not show as a change. Pulumi runs a step with the input that is ignored, so the
      // step may get one of before a change, and asks Kubernetes what its pod speaks.
      { ignoreChanges: keepsAnswer, protect },
    );
    this.shares = pulumi.secret(init.answer.shares);
    this.encryptedShares = byHolders ? pulumi.secret(init.answer.pgp) : undefined;
    // A step before the stack's token is known looks for it in the journal and the state itself.
    const tokenAtFirst = pulumi.secret(init.answer.rootToken);
    // The state ends with the stack, and volumes that stay are worth nothing without their keys.
    if (retainData)
      declareStep(
        `${name}-keys`,
        {
          undo: "keep-keys",
          input: {
            ...target,
            pod: first,
            threshold,
            shares: this.shares,
            token: tokenAtFirst,
            ...(byHolders && { pgp: this.encryptedShares }),
            ...sealed,
            store: init.answer.pvcUid,
          },
          triggers: [],
        },
        { parent: this, protect },
      );

    const opening = sealed ?? { shares: this.shares, ...(byHolders && { byHolders }), threshold };
    // What runs already is brought to what the release and its certificate are now. Where nothing ran, nothing is done.
    const rollout = next(
      "rollout",
      "rollout",
      {
        pods: vault.pods,
        ...opening,
        token: tokenAtFirst,
        timeoutSeconds: target.timeoutSeconds * vault.pods.length,
      },
      {
        // Where nothing ran before, there is nothing to do. A state that does not know the step may be of an earlier
        // version of this program, or of a run that was killed. A Vault that was adopted is not started anew for that.
        runsAtCreate: hasRaised(args.stackDir),
        facts: {
          RELEASE: vault.valuesHash,
          ...(vault.tls?.fingerprint && { CERTIFICATE: vault.tls.fingerprint }),
        },
      },
      // The keys are there in every later run: no reason to show the step as changed.
      { ignoreChanges: ["create"] },
    );
    announceRestarts(cluster, vault, rollout.resource);
    // A container that restarted is sealed again (and blank, where its join was not complete): another identity here
    // makes its unseal run again, which lets it join once more where it has to. With a seal it unseals itself, and a
    // restart leaves nothing for an update to do.
    const containers = seal
      ? undefined
      : runningContainers(cluster, vault, settings.timeouts.podSeconds, rollout.resource.stdout);
    const container = (pod: string) =>
      containers && { facts: { CONTAINER: containers.apply((byPod) => byPod[pod] ?? "unknown") } };

    const unseal = (pod: string, cluster: object = {}) =>
      next<UnsealAnswer>(
        "unseal",
        `unseal-${pod}`,
        { pod, ...opening, ...cluster },
        { ...container(pod), keepsAnswer: true },
      );

    const clusterId = pulumi.unsecret(unseal(first).answer.apply((answer) => answer.clusterId));
    // As for init: the answer stays as it is until another token takes its place.
    this.rootToken = byHolders
      ? pulumi.secret(
          next<{ token: string }>(
            "token",
            "token",
            { pod: first },
            { runsAtCreate: true, ...changed },
            { ignoreChanges: keepsAnswer },
          ).answer.apply(({ token }) => token),
        )
      : tokenAtFirst;
    const member = { leader: first, token: this.rootToken };
    for (const pod of others) {
      next("join", `join-${pod}`, { pod, ...member });
      unseal(pod, member);
      next("voter", `voter-${pod}`, { pod, token: this.rootToken });
    }
    const verify = next<{ peers: Peer[] }>(
      "verify",
      "verify",
      { pods: vault.pods, token: this.rootToken, clusterId },
      {
        facts: {
          ...(containers && { CONTAINERS: containers.apply((byPod) => Object.values(byPod).join(" ")) }),
          VAULT: answeringVault(cluster, vault, clusterId),
        },
      },
      // Destroy begins at the end: it is to be refused before the first step has left the state.
      { protect },
    );
    if (settings.audit.enabled)
      next(
        "audit",
        "audit",
        { pods: vault.pods, token: this.rootToken, file: `${auditFolder}/audit.log` },
        {},
        { protect },
      );
    const bucket = settings.backup?.bucket;
    if (settings.backup)
      next(
        "backup-login",
        "backup-login",
        {
          pods: vault.pods,
          token: this.rootToken,
          ...(bucket && { bucket: bucketUrl(bucketPlace(pulumi.getStack(), bucket)) }),
        },
        { undo: "backup-logout" },
      );
    this.peers = pulumi.unsecret(verify.answer.peers);
    this.registerOutputs({ peers: this.peers });
  }
}
