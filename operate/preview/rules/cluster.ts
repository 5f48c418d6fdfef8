/** The kind cluster, and what else holds Vault's data as a whole: its namespace, its release. */
import { type Explained, inRow } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/**
 * A cluster that is replaced, or deleted: then everything in it is, and no other rule has anything to say of that.
 * undefined where the cluster stays.
 */
export function clusterLoss(plan: Plan): Explained | undefined {
  const change = plan.changes.find(({ name }) => name === "cluster-create");
  if (change?.op !== "replace" && change?.op !== "delete") return undefined;
  const covers = plan.changes.map(({ name }) => name);
  const because =
    change.op === "delete"
      ? ["cluster.driver: kind -> existing"]
      : plan.clusterCauses.length > 0
        ? [...plan.clusterCauses]
        : ["the configuration of the kind cluster"];
  const what = `The kind cluster is ${change.op === "delete" ? "deleted" : "replaced"}`;
  if (plan.vault === undefined)
    return { verdict: "safe", says: `${what}. No Vault was initialised in it yet.`, because, covers };
  const lost = `${what}: all of Vault's data is lost, unless a snapshot is taken first.`;
  // What follows a deleted cluster is another Vault on another cluster, which takes another beginning.
  if (change.op === "delete") return { ...takenDown(plan, lost, because), covers };
  const consequence = {
    verdict: "destructive" as const,
    says: `${lost} A blank Vault with keys of its own takes its place.`,
    because,
    covers,
  };
  if (isGivenUp(plan)) return consequence;
  const { vault, commands } = plan;
  const identities = vault.clusterId === undefined ? Object.values(vault.stores) : [vault.clusterId];
  if (identities.length === 0) return { ...takenDown(plan, lost, because), covers };
  return {
    ...consequence,
    refused: {
      why: "Put the setting back. Or, to lose this Vault on purpose: take a snapshot, keep its keys, and give the Vault up by its id.",
      next: [...commands.snapshot(), commands.giveUp(identities), commands.up],
    },
  };
}

/**
 * The step that makes the cluster runs again (another timeouts.clusterSeconds) and takes the cluster as it stands. To
 * Pulumi its answer is not known before, so all that depends on it shows as changed, or replaced.
 */
export function clusterAgain(plan: Plan): Explained[] {
  const step = plan.changes.find(({ name, op }) => name === "cluster-create" && op === "update");
  if (step === undefined) return [];
  const echoes = plan.changes.filter(
    ({ name, op, differing }) =>
      /^(cluster-|lifecycle-|vault-leave$)/.test(name) || (op === "update" && differing.length === 0),
  );
  const stands = plan.running.nodes.some(({ sealed }) => sealed !== undefined);
  return [
    {
      verdict: stands ? "safe" : "disruptive",
      says: "The step that makes the kind cluster runs again, and takes the cluster as it stands. Until then Pulumi does not know its answer, so more seems to change than does.",
      because: ["the input of that step, such as timeouts.clusterSeconds"],
      covers: echoes.map(({ name }) => name),
    },
  ];
}

/** Whether vault.giveUp names this Vault: its cluster id, or each of its stores. */
export function isGivenUp({ vault, settings }: Pick<Plan, "vault" | "settings">): boolean {
  const { giveUp } = settings.vault;
  const stores = Object.values(vault?.stores ?? {});
  return (
    (vault?.clusterId !== undefined && giveUp.includes(vault.clusterId)) ||
    (stores.length > 0 && stores.every((store) => giveUp.includes(store)))
  );
}

/** The namespace or the release is replaced or deleted, on a cluster that stays. */
export function releaseLoss(plan: Plan): Explained[] {
  const ended = plan.changes.filter(
    ({ name, op }) =>
      ["vault-namespace", "vault-release"].includes(name) && (op === "replace" || op === "delete"),
  );
  const [first] = ended;
  if (first === undefined || plan.vault === undefined) return [];
  const names = ended.map(({ name }) => (name === "vault-namespace" ? "namespace" : "release"));
  const many = names.length > 1;
  const what = `Vault's ${inRow(names)} ${many ? "are" : "is"} ${first.op === "delete" ? "deleted" : "replaced"}`;
  const { metadata, namespace } = { metadata: {}, ...first.before } as {
    metadata: { name?: string };
    namespace?: string;
  };
  const former = metadata.name ?? namespace ?? "its namespace";
  const after = { metadata: {}, ...first.after } as typeof first.before & { metadata: { name?: string } };
  const next = after.metadata.name ?? (after.namespace as string | undefined);
  const because =
    next !== undefined && next !== former
      ? [`vault.namespace: ${former} -> ${next}`]
      : ended.map(({ name, op }) => `${name}: ${op}`);
  const stay = ended.some(({ retained }) => retained);
  const lost = stay
    ? `${what}: this Vault ends. Its volumes stay in the namespace ${former}, and this stack works on them no more.`
    : `${what}: all of Vault's data is lost, unless a snapshot is taken first.`;
  const covers = plan.changes.filter(({ name }) => /^(vault|lifecycle)-/.test(name)).map(({ name }) => name);
  return [{ ...takenDown(plan, lost, because), covers }];
}

/** What an update cannot do at all: the new Vault has to be begun, and the old one ended, as such. */
function takenDown({ commands }: Plan, says: string, because: string[]): Omit<Explained, "covers"> {
  return {
    verdict: "destructive",
    says,
    because,
    refused: {
      why: "Put the setting back. An update cannot do this: to begin anew, take a snapshot, keep its keys, take the stack down with its former settings, and raise it with the new ones.",
      next: [...commands.snapshot(), commands.down, commands.up],
    },
  };
}
