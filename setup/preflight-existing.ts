/** What a cluster that somebody else has made must offer before anything is put into it. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { stackLabel } from "../components/cluster.ts";
import { type Values, valueAt } from "../components/values-file.ts";
import type { Settings } from "../config.ts";
import type { ExistingSettings } from "../settings/choices.ts";
import { Unreachable } from "../steps/lib/errors.ts";
import { type Kube, KubeRefusal, openKube } from "../steps/lib/kube.ts";
import {
  delegatorBinding,
  type FoundThere,
  grantingRoles,
  loginName,
  missingRights,
  neededRights,
  rightsInWords,
  withoutCreation,
} from "./rights.ts";
import { knowsServiceMonitors } from "./service-monitors.ts";

export interface ExistingPlace {
  existing: ExistingSettings;
  settings: Pick<Settings, "vault" | "teardown" | "telemetry" | "backup">;
  /** Values of Vault's release. */
  values: Values;
  stack: string;
  stackDir: string;
}

/**
 * Puts the kubeconfig of the context into the stack's folder, and looks at the cluster. Changes nothing there.
 * @throws RunError that lists every problem
 */
export async function preflightExisting(place: ExistingPlace): Promise<void> {
  const { existing, stackDir } = place;
  // A library that a stack on kind does without: half a second.
  const { writeKubeconfig } = await import("./kubeconfig.ts");
  const kubeconfigFile = writeKubeconfig(existing, stackDir);
  const problems = await look(place, kubeconfigFile).catch((error) => {
    if (!(error instanceof Unreachable)) throw error;
    return [`${error.message}\n    kubectl --kubeconfig ${kubeconfigFile} cluster-info`];
  });
  if (problems.length === 0) return rmSync(rolesFile(stackDir), { force: true });
  throw new pulumi.RunError(
    `The existing cluster is not ready; nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}

const rolesFile = (stackDir: string) => join(stackDir, "missing-rights.yaml");

const Labelled = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

async function look(place: ExistingPlace, kubeconfigFile: string): Promise<string[]> {
  const { settings, values } = place;
  const { namespace, storageClass } = settings.vault;
  const kube = await openKube(kubeconfigFile);
  const signal = AbortSignal.timeout(60_000);
  const read = (path: string) => readable(kube, path, signal);
  const delegates = valueAt(values, "server.authDelegator.enabled") !== false;
  const [space, binding, storage, monitors] = await Promise.all([
    read(`/api/v1/namespaces/${namespace}`),
    delegates && read(`/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${delegatorBinding}`),
    storageClass !== undefined && read(`/apis/storage.k8s.io/v1/storageclasses/${storageClass}`),
    settings.telemetry.enabled && knowsServiceMonitors(kube, signal),
  ]);
  const problems = await rightsProblems(
    kube,
    place,
    { namespaceStands: space !== undefined && space !== "forbidden", delegates, monitors },
    signal,
  );
  const kubectl = `kubectl --kubeconfig ${kubeconfigFile}`;
  const owner = labelOf(space, stackLabel);
  if (space && space !== "forbidden" && owner !== place.stack)
    problems.push(
      `vault.namespace: the namespace ${namespace} is there already and ${owner === undefined ? "was not made by this program" : `belongs to the stack ${owner}`}.\n    pulumi config set vault.namespace <another>   (or, if it is meant for this stack: ${kubectl} label namespace ${namespace} ${stackLabel}=${place.stack})`,
    );
  const holder = binding && binding !== "forbidden" && binding.metadata.annotations?.[releaseNamespace];
  if (holder && holder !== namespace)
    problems.push(
      `the ClusterRoleBinding ${delegatorBinding} belongs to another Vault release, in namespace ${holder}.\n    Add to your values file (vault.valuesFile): server.authDelegator.enabled: false`,
    );
  if (storage === undefined)
    problems.push(
      `vault.storageClass: there is no storage class ${storageClass}.\n    ${kubectl} get storageclasses`,
    );
  return problems;
}

/** Helm's note on an object: the namespace of the release that it belongs to. */
const releaseNamespace = "meta.helm.sh/release-namespace";

/** At most one problem: all rights that the login lacks, and the file with the roles that grant them. */
export async function rightsProblems(
  kube: Kube,
  { settings, stack, stackDir }: Pick<ExistingPlace, "settings" | "stack" | "stackDir">,
  found: FoundThere,
  signal: AbortSignal,
): Promise<string[]> {
  const { namespace } = settings.vault;
  const needed = neededRights(settings, found);
  const all = await missingRights(kube, namespace, needed, signal);
  const makesNamespace = !found.namespaceStands && all.namespace.length > 0;
  // Who grants rights inside the namespace has to make it first; the login does not have to, then.
  const missing = makesNamespace ? withoutCreation(all) : all;
  const lacking = rightsInWords(missing, namespace);
  if (lacking.length === 0) return [];
  const login = (await loginName(kube, signal)) ?? "<the login's name>";
  // The roles take the place of those that were applied before, so each has all that is needed in its place.
  const whole = makesNamespace ? withoutCreation(needed) : needed;
  const granted = {
    namespace: missing.namespace.length > 0 ? whole.namespace : [],
    cluster: missing.cluster.length > 0 ? whole.cluster : [],
  };
  writeFileSync(rolesFile(stackDir), grantingRoles(granted, { namespace, stack, login }));
  const commands = [
    ...(makesNamespace
      ? [
          `kubectl create namespace ${namespace}   (unless it is there)`,
          `kubectl label namespace ${namespace} ${stackLabel}=${stack}`,
        ]
      : []),
    `kubectl apply --filename ${rolesFile(stackDir)}`,
  ];
  return [
    `the login ${login} lacks these rights:\n    - ${lacking.join("\n    - ")}\n    Somebody who may grant them types:\n    ${commands.join("\n    ")}`,
  ];
}

type Labelled = z.output<typeof Labelled>;

const labelOf = (object: Labelled | "forbidden" | undefined, label: string) =>
  object === "forbidden" ? undefined : object?.metadata.labels?.[label];

/** The object; undefined where it does not exist. */
async function readable(
  kube: Kube,
  path: string,
  signal: AbortSignal,
): Promise<Labelled | "forbidden" | undefined> {
  try {
    return await kube.get(path, Labelled, signal);
  } catch (error) {
    if (error instanceof KubeRefusal && error.status === 403) return "forbidden";
    throw error;
  }
}
