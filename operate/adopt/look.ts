/** What a Vault that was made by hand has to be, so that a stack can go on with it. */
import { stackLabel } from "../../components/cluster.ts";
import { type Values, valueAt } from "../../components/values-file.ts";
import { vaultValues } from "../../components/vault-values.ts";
import type { Settings } from "../../config.ts";
import type { Sources } from "../../sources.ts";
import type { Pod } from "../../steps/lib/pod.ts";
import type { ReleaseNote } from "./release-note.ts";

/** A node that was found. */
export interface FoundPod {
  name: string;
  pod: Pod | undefined;
  initialised: boolean;
  sealed: boolean;
  /** Such as raft; undefined where it did not answer. */
  storage: string | undefined;
  /** Shares that unseal it. */
  threshold: number | undefined;
}

/** What was found, all of it public. */
export interface Found {
  release: ReleaseNote | undefined;
  /** The label of the namespace that names a stack. */
  owner: string | undefined;
  pods: FoundPod[];
  /** The servers of the raft configuration, where a token was given to ask for them. */
  peers: { node: string; voter: boolean }[] | undefined;
  /** Size and class of the nodes' volumes. */
  volume: { size: string | undefined; storageClass: string | undefined };
  scheme: "http" | "https";
  image: string | undefined;
}

/** What the stack's settings become, so that its first update changes as little as may be. */
export interface Adoption {
  /** By key, as `pulumi config set` takes them. */
  settings: Record<string, string>;
  /** The stack's own values, as they were given to Helm. */
  values: Values;
}

/** What settings decide, and what therefore does not belong into a values file. */
const decidedKeys = [
  "server.ha.replicas",
  "server.dataStorage.size",
  "server.dataStorage.storageClass",
  "server.image",
  "ui.serviceNodePort",
];

/**
 * The settings of the stack that goes on with what was found, and one problem for each thing that it could not live
 * with. With any problem nothing is to be changed.
 */
export function adoptionOf(
  found: Found,
  { vault }: Pick<Settings, "vault">,
  stack: string,
  source: Sources["vault"],
): { adoption: Adoption; problems: string[] } {
  const { release, owner, pods, peers, volume, scheme, image } = found;
  const problems: string[] = [];
  const kubectl = `kubectl --namespace ${vault.namespace}`;
  if (release === undefined)
    problems.push(
      `Helm knows no release vault in namespace ${vault.namespace}.\n    helm list --all-namespaces   (then: pulumi config set vault.namespace <name> --stack ${stack})`,
    );
  else if (release.status !== "deployed")
    problems.push(
      `Helm's release vault is ${release.status}, not deployed.\n    helm history vault --namespace ${vault.namespace}`,
    );
  if (owner !== undefined && owner !== stack)
    problems.push(
      `the namespace ${vault.namespace} belongs to the stack ${owner}.\n    npm run status -- --stack ${owner}`,
    );
  if (scheme === "https")
    problems.push(
      "this Vault speaks HTTPS from a Secret and a place of its own, which the stack would change with a restart of each node. Only a Vault that speaks HTTP can be taken over without one.",
    );
  const wanted = `${source.image.repository}:${source.image.tag}`;
  if (image !== undefined && image !== wanted)
    problems.push(
      `the pods run ${image}, and this program's release ${wanted}: the next pod that is started would be another Vault.\n    helm upgrade vault hashicorp/vault --namespace ${vault.namespace} --reuse-values --set server.image.tag=${source.image.tag}`,
    );
  for (const { name, pod, initialised, sealed, storage } of pods) {
    const describe = `${kubectl} describe pod ${name}`;
    if (pod === undefined) problems.push(`there is no pod ${name}.\n    ${kubectl} get pods`);
    else if (!initialised) problems.push(`${name} is not initialised, or does not answer.\n    ${describe}`);
    else if (sealed)
      problems.push(`${name} is sealed.\n    ${kubectl} exec -it ${name} -- vault operator unseal`);
    else if (storage !== "raft")
      problems.push(`${name} keeps its data in ${storage ?? "something unknown"}, not in Raft.`);
  }
  const names = pods.map(({ name }) => name);
  for (const { node } of peers ?? [])
    if (!names.includes(node))
      problems.push(
        `the raft configuration has ${node}, which is the name of no pod (server.ha.raft.setNodeId gives a node its pod's name).\n    ${kubectl} exec vault-0 -- vault operator raft list-peers`,
      );
  for (const name of peers ? names : [])
    if (!peers?.some(({ node, voter }) => node === name && voter))
      problems.push(`${name} is no voter.\n    ${kubectl} exec vault-0 -- vault operator raft list-peers`);

  const values = without(release?.values ?? {}, decidedKeys);
  const injector = release?.objects.find((object) => /agent-injector/.test(object));
  if (injector !== undefined)
    problems.push(
      `the release has the injector (${injector}), which this program does not run; it would be left behind.\n    helm upgrade vault hashicorp/vault --namespace ${vault.namespace} --reuse-values --set injector.enabled=false`,
    );
  const replicas = pods.length;
  if (![1, 3, 5, 7].includes(replicas))
    problems.push(`there are ${replicas} nodes; a stack has 1, 3, 5 or 7.`);
  return {
    adoption: {
      settings: {
        "vault.namespace": vault.namespace,
        "vault.replicas": String(replicas),
        "vault.tls.enabled": "false",
        ...(volume.size && { "vault.storageSize": volume.size }),
        ...(valueAt(release?.values ?? {}, "server.dataStorage.storageClass") !== undefined &&
          volume.storageClass && { "vault.storageClass": volume.storageClass }),
      },
      values,
    },
    problems,
  };
}

/** Problems of the values that the stack would have; each names the file. */
export function valuesProblems(file: string, { settings }: Adoption, source: Sources["vault"]): string[] {
  return vaultValues({
    replicas: Number(settings["vault.replicas"]),
    storageSize: settings["vault.storageSize"] ?? "10Gi",
    performanceMultiplier: 5,
    image: source.image,
    existing: true,
    ownFile: file,
  }).problems;
}

/** Values without these keys, and without what is empty then. */
function without(values: Values, keys: readonly string[]): Values {
  const copy = structuredClone(values);
  for (const key of keys) {
    const path = key.split(".");
    const last = path.pop() ?? "";
    let at: unknown = copy;
    for (const part of path) at = typeof at === "object" && at !== null ? (at as Values)[part] : undefined;
    if (typeof at === "object" && at !== null) delete (at as Values)[last];
  }
  return copy;
}

/** The label of a namespace that names its stack. */
export const ownerOf = (labels: Record<string, string> | undefined): string | undefined =>
  labels?.[stackLabel];
