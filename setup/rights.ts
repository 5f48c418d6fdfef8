/** What the stack's login has to be allowed on a cluster that somebody else has made, and what of it it is not. */
import { stringify } from "yaml";
import { z } from "zod";
import type { Settings } from "../config.ts";
import { type Kube, KubeRefusal } from "../steps/lib/kube.ts";
import { monitoringGroup } from "./service-monitors.ts";

/** A rule as Kubernetes' roles have it; without `namespaced` it is about the whole cluster. */
export interface Rule {
  apiGroups: [string];
  resources: [string];
  verbs: string[];
  resourceNames?: [string];
}

/** Rules by where they hold. */
export interface Rights {
  namespace: Rule[];
  cluster: Rule[];
}

const rule = (group: string, resource: string, verbs: string, name?: string): Rule => ({
  apiGroups: [group],
  resources: [resource],
  verbs: verbs.split(" "),
  ...(name !== undefined && { resourceNames: [name] as [string] }),
});

/** What Helm and Pulumi do to an object that they own. */
const own = "get list watch create update patch delete";

/** What was found at the cluster on which it depends what is needed. */
export interface FoundThere {
  namespaceStands: boolean;
  delegates: boolean;
  /** ServiceMonitors are known, and the stack declares one. */
  monitors?: boolean;
}

/**
 * All that an update, its steps and destroy ask of the cluster.
 * @param namespaceStands whether Vault's namespace is there already
 * @param delegates whether the release binds Vault's service account to system:auth-delegator, as the chart does
 */
export function neededRights(
  { vault, teardown, backup }: Pick<Settings, "vault" | "teardown" | "backup">,
  { namespaceStands, delegates, monitors }: FoundThere,
): Rights {
  return {
    namespace: [
      // Helm keeps its notes in Secrets; the pods' certificate is one.
      rule("", "secrets", own),
      ...["configmaps", "services", "serviceaccounts"].map((resource) => rule("", resource, own)),
      rule("apps", "statefulsets", own),
      rule("policy", "poddisruptionbudgets", own),
      ...["roles", "rolebindings"].map((resource) => rule("rbac.authorization.k8s.io", resource, own)),
      // update: whoever grants a right to Vault's service account has to have it; Vault labels its pods.
      rule("", "pods", "get list watch update patch delete"),
      ...["pods/portforward", "pods/exec"].map((resource) => rule("", resource, "get create")),
      rule("", "persistentvolumeclaims", backup && !backup.bucket ? own : "get list delete"),
      ...(backup
        ? [
            rule("batch", "cronjobs", own),
            rule("batch", "jobs", "get list create delete"),
            // The pod that fetches a snapshot.
            rule("", "pods", "create"),
          ]
        : []),
      rule("", "events", "list"),
      ...(monitors ? [rule(monitoringGroup, "servicemonitors", own)] : []),
    ],
    cluster: [
      rule(
        "",
        "namespaces",
        teardown.retainData ? "get watch patch" : "get watch patch delete",
        vault.namespace,
      ),
      // A rule for making cannot name what is made.
      ...(namespaceStands ? [] : [rule("", "namespaces", "create")]),
      ...(delegates
        ? [
            rule("rbac.authorization.k8s.io", "clusterrolebindings", "create"),
            rule(
              "rbac.authorization.k8s.io",
              "clusterrolebindings",
              "get update patch delete",
              delegatorBinding,
            ),
            rule("rbac.authorization.k8s.io", "clusterroles", "bind", "system:auth-delegator"),
          ]
        : []),
    ],
  };
}

/** The chart's ClusterRoleBinding, named after the release. */
export const delegatorBinding = "vault-server-binding";

const Review = z.object({ status: z.object({ allowed: z.boolean() }) });
const reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** What of the rights the login does not have, asked of Kubernetes one by one (self subject access reviews). */
export async function missingRights(
  kube: Kube,
  namespace: string,
  needed: Rights,
  signal: AbortSignal,
): Promise<Rights> {
  const may = async (resourceAttributes: object) => {
    const object = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    return (await kube.create(reviews, object, Review, signal)).status.allowed;
  };
  // An administrator: one question instead of sixty.
  if (await may({ verb: "*", group: "*", resource: "*" })) return { namespace: [], cluster: [] };
  const missing = async (rules: Rule[], within?: string) => {
    const found: Rule[] = [];
    for (const each of rules) {
      const [resource, subresource] = each.resources[0].split("/");
      const asked = each.verbs.map(async (verb) =>
        (await may({
          verb,
          group: each.apiGroups[0],
          resource,
          ...(subresource && { subresource }),
          ...(within && { namespace: within }),
          ...(each.resourceNames && { name: each.resourceNames[0] }),
        }))
          ? []
          : [verb],
      );
      const verbs = (await Promise.all(asked)).flat();
      if (verbs.length > 0) found.push({ ...each, verbs });
    }
    return found;
  };
  return {
    namespace: await missing(needed.namespace, namespace),
    cluster: await missing(needed.cluster),
  };
}

const WhoAmI = z.object({ status: z.object({ userInfo: z.object({ username: z.string() }) }) });

/** The login's name, as Kubernetes knows it; undefined before Kubernetes 1.28, which cannot be asked. */
export async function loginName(kube: Kube, signal: AbortSignal): Promise<string | undefined> {
  const object = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  try {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    return (await kube.create(path, object, WhoAmI, signal)).status.userInfo.username;
  } catch (error) {
    if (error instanceof KubeRefusal) return undefined;
    throw error;
  }
}

/** The rights without that of making a namespace. */
export function withoutCreation({ namespace, cluster }: Rights): Rights {
  const isCreation = ({ resources, verbs }: Rule) =>
    resources[0] === "namespaces" && verbs.includes("create");
  return { namespace, cluster: cluster.filter((each) => !isCreation(each)) };
}

/** The rights as a message lists them, those of the same verbs together: "pods, secrets: delete, patch". */
export function rightsInWords({ namespace, cluster }: Rights, within: string): string[] {
  const words = (rules: Rule[], place: string) => {
    const byVerbs = Map.groupBy(rules, ({ verbs }) => verbs.join(", "));
    return [...byVerbs].map(([verbs, same]) => {
      const names = same.map(({ resources: [resource], resourceNames }) =>
        resourceNames ? `${resource} ${resourceNames[0]}` : resource,
      );
      return `${names.join(", ")}: ${verbs} (${place})`;
    });
  };
  return [...words(namespace, `in namespace ${within}`), ...words(cluster, "in the whole cluster")];
}

/** Objects that grant the rights, as YAML for `kubectl apply`: a role for each place, bound to the login. */
export function grantingRoles(
  { namespace: inside, cluster }: Rights,
  { namespace, stack, login }: { namespace: string; stack: string; login: string },
): string {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const apiGroup = "rbac.authorization.k8s.io";
  const subjects = [{ kind: "User", name: login, apiGroup }];
  const grant = (rules: Rule[], name: string, prefix: "" | "Cluster", place: object) => [
    { apiVersion, kind: `${prefix}Role`, metadata: { name, ...place }, rules },
    {
      apiVersion,
      kind: `${prefix}RoleBinding`,
      metadata: { name, ...place },
      roleRef: { apiGroup, kind: `${prefix}Role`, name },
      subjects,
    },
  ];
  const objects = [
    ...(inside.length > 0 ? grant(inside, `vault-ha-${stack}`, "", { namespace }) : []),
    ...(cluster.length > 0 ? grant(cluster, `vault-ha-${stack}-${namespace}`, "Cluster", {}) : []),
  ];
  return objects.map((object) => stringify(object)).join("---\n");
}
