/** A Kubernetes cluster in Docker, made by kind: 1 control-plane that takes the ingress, and the workers. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Settings } from "../config.ts";
import type { Cluster } from "./cluster.ts";
import { fingerprint, kindConfig } from "./kind-config.ts";
import { declareStep } from "./step.ts";

export interface KindClusterArgs {
  settings: Pick<Settings, "cluster" | "teardown" | "timeouts">;
  /** Begins the cluster's name, which ends in a random suffix: two checkouts never meet. */
  namePrefix: string;
  /** Folder for the kubeconfig file, relative to the project. */
  stackDir: string;
  /** kind node image; undefined = the one kind names itself. */
  nodeImage?: string | undefined;
}

export class KindCluster extends pulumi.ComponentResource implements Cluster {
  /** The cluster's name, as `kind get clusters` lists it. */
  readonly clusterName: pulumi.Output<string>;
  /** As YAML. Secret: it holds the administrator's key. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly instance: pulumi.Output<string>;
  readonly provider: k8s.Provider;
  readonly end: Cluster["end"];

  constructor(name: string, args: KindClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    // Without `args`: a preview would show the component as changed whenever any setting is.
    super("vault-ha:cluster:KindCluster", name, {}, opts);
    const config = kindConfig(args.settings, args.nodeImage);
    const identifier = fingerprint(config);

    // Changes with nothing, so that the name is stable for as long as the stack stands.
    const suffix = new random.RandomString(
      `${name}-suffix`,
      { length: 6, special: false, upper: false },
      { parent: this },
    );
    this.clusterName = pulumi.interpolate`${args.namePrefix}-${suffix.result}`;

    const { resource, answer } = declareStep<{ kubeconfig: string; instance: string }>(
      `${name}-create`,
      {
        step: "create-cluster",
        undo: "delete-cluster",
        input: {
          name: this.clusterName,
          network: this.clusterName,
          config,
          stackDir: args.stackDir,
          timeoutSeconds: args.settings.timeouts.clusterSeconds,
        },
        triggers: [identifier, this.clusterName],
      },
      // The old cluster holds the host ports that the new one needs.
      { parent: this, deleteBeforeReplace: true, protect: args.settings.teardown.protected },
    );
    this.end = { deletedWith: resource };
    this.kubeconfig = pulumi.secret(answer.kubeconfig);
    this.instance = pulumi.unsecret(answer.instance);

    this.provider = new k8s.Provider(
      `${name}-provider`,
      {
        kubeconfig: this.kubeconfig,
        // Known at preview, unlike the kubeconfig: says at once whether children are replaced.
        clusterIdentifier: identifier,
        enableServerSideApply: true,
        // A renewed certificate is put into its Secret; else the Secret would be deleted and made anew.
        enableSecretMutable: true,
      },
      { parent: this },
    );
    this.registerOutputs({ clusterName: this.clusterName, instance: this.instance });
  }
}
