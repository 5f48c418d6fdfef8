/** The Vault Helm release: highly available, on Raft Integrated Storage, not yet initialised. */
import { existsSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { secretKeys } from "../settings/seals.ts";
import type { Sources } from "../sources.ts";
import { keysPath } from "../steps/lib/keys-file.ts";
import { podNames } from "../steps/lib/road.ts";
import type { Reach } from "../steps/lib/target.ts";
import type { TlsSecret } from "../steps/lib/tls-secret.ts";
import { chartArgs } from "./chart.ts";
import { type Cluster, stackLabel } from "./cluster.ts";
import { fingerprint } from "./kind-config.ts";
import { podTls } from "./pod-tls.ts";
import { declareStep } from "./step.ts";
import type { Values } from "./values-file.ts";
import { sealWanted } from "./vault-seal.ts";
import { VaultTls } from "./vault-tls.ts";

export interface VaultReleaseArgs {
  cluster: Cluster;
  settings: Pick<Settings, "vault" | "teardown" | "timeouts">;
  source: Sources["vault"];
  /** The chart's values, as `loadVaultValues` gives them. */
  values: Values;
  /** A certificate that somebody else has made, as `loadCertificate` gives it. */
  certificate: TlsSecret | undefined;
  /** Folder for the authority's certificate, relative to the project. */
  stackDir: string;
}

export class VaultRelease extends pulumi.ComponentResource {
  readonly namespace: string;
  /** The pods, in the order in which they become voters. */
  readonly pods: string[];
  readonly scheme: "http" | "https";
  /** undefined where Vault speaks HTTP. */
  readonly tls: VaultTls | undefined;
  /** Another one when what the pods are made from may have changed. 16 hex digits. */
  readonly valuesHash: string;
  readonly release: k8s.helm.v3.Release;
  #tlsSecret: string | undefined;

  constructor(name: string, args: VaultReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:vault:VaultRelease", name, {}, opts);
    const { cluster, settings, source, certificate, stackDir } = args;
    const { vault, teardown } = settings;
    const isOurs = cluster.end.deletedWith !== undefined;
    const { retainData, protected: protect } = teardown;
    const inCluster = { parent: this, provider: cluster.provider, ...cluster.end };
    this.namespace = vault.namespace;
    this.pods = podNames(vault.replicas);
    this.scheme = vault.tls ? "https" : "http";
    this.valuesHash = fingerprint(JSON.stringify([source, args.values]));

    // Deleted last, when the volumes are gone: keys of no data are of no use, and stand in the way of a new Vault.
    const forget =
      isOurs || retainData
        ? []
        : [
            declareStep(
              `${name}-keys`,
              {
                undo: "forget-keys",
                input: {
                  stackDir,
                  kubeconfig: cluster.kubeconfig,
                  namespace: vault.namespace,
                  timeoutSeconds: settings.timeouts.stepSeconds,
                },
                triggers: [],
              },
              { parent: this },
            ).resource,
          ];
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: vault.namespace,
          ...(!isOurs && { labels: { [stackLabel]: pulumi.getStack() } }),
        },
      },
      // The volumes would go with it.
      { ...inCluster, protect, retainOnDelete: retainData, dependsOn: forget },
    );
    const { tls } = vault;
    this.tls =
      tls &&
      new VaultTls(
        `${name}-tls`,
        { cluster, namespace, settings, tls, brought: certificate, stackDir },
        { parent: this },
      );
    this.#tlsSecret = podTls(tls)?.secretName;
    const before = [
      this.#declareLeave(name, args, namespace),
      ...(this.tls ? [this.tls] : []),
      ...this.#declareSealSecret(name, args, namespace),
    ];
    this.release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: "vault",
        namespace: namespace.metadata.name,
        ...chartArgs(source),
        values: args.values,
        // Pods are not ready before they are unsealed, so there is nothing here to wait for:
        // the lifecycle's verify step is the gate.
        skipAwait: true,
        // A null in a stack's own values takes away a default of the chart, as with Helm.
        allowNullValues: true,
      },
      // A pod cannot begin before its Secret is there and good. As a dependency, and not by the values, which a first
      // preview would not know then.
      { ...inCluster, protect, dependsOn: before },
    );
    this.registerOutputs({ namespace: this.namespace, pods: this.pods });
  }

  /** No pod can begin without the Secret of its seal; none where the seal wants none. */
  #declareSealSecret(
    name: string,
    { cluster, settings, stackDir }: VaultReleaseArgs,
    namespace: k8s.core.v1.Namespace,
  ): pulumi.Resource[] {
    const { seal } = settings.vault;
    if (seal?.secret === undefined) return [];
    const { env, files } = secretKeys(seal);
    const { resource } = declareStep(
      `${name}-seal`,
      {
        step: "seal-secret",
        input: {
          reach: { kind: "kubernetes", kubeconfig: cluster.kubeconfig, namespace: this.namespace },
          folder: stackDir,
          name: seal.secret,
          env,
          files,
          timeoutSeconds: settings.timeouts.podSeconds,
        },
        triggers: [cluster.instance],
      },
      { parent: this, dependsOn: namespace, ...cluster.end },
    );
    return [resource];
  }

  /**
   * Peers leave before their pods go: a majority of those that are configured has to live at each moment. So this comes
   * before the release, and takes its token from elsewhere than from init, which comes after it. The same look refuses
   * another seal than an initialised Vault has.
   */
  #declareLeave(
    name: string,
    { cluster, settings, stackDir }: VaultReleaseArgs,
    namespace: k8s.core.v1.Namespace,
  ): pulumi.Resource {
    const seal = sealWanted(settings.vault.seal);
    const { resource } = declareStep(
      `${name}-leave`,
      {
        step: "leave",
        input: {
          stack: pulumi.getStack(),
          stackDir,
          scheme: this.scheme,
          reach: cluster.kubeconfig.apply((kubeconfig) => this.reach(kubeconfig)),
          pods: this.pods,
          ...(settings.vault.seal && { seal }),
          timeoutSeconds: settings.timeouts.stepSeconds,
        },
        triggers: [cluster.instance],
        facts: { PODS: this.pods.join(" "), ...(settings.vault.seal && { SEAL: seal.key }) },
        // At first there is nobody who could leave; a state that does not know the step may be of an earlier version.
        runsAtCreate: existsSync(keysPath(stackDir)),
      },
      { parent: this, dependsOn: namespace, ignoreChanges: ["create"], ...cluster.end },
    );
    return resource;
  }

  /** The way to the pods' API, for steps and for the program itself. */
  reach(kubeconfig: string): Extract<Reach, { kind: "kubernetes" }> {
    const { namespace } = this;
    return {
      kind: "kubernetes",
      kubeconfig,
      namespace,
      ...(this.#tlsSecret && { tlsSecret: this.#tlsSecret }),
    };
  }
}
