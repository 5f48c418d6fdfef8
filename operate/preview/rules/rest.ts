/** What no other rule has explained. */
import type { Change } from "../change.ts";
import { type Explained, inRow, type Verdict } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** A first raising: everything is made. */
export function raising(plan: Plan): Explained[] {
  const made = plan.changes.filter(({ op }) => op === "create");
  if (plan.vault !== undefined || made.length === 0) return [];
  const { replicas, seal } = plan.settings.vault;
  return [
    {
      verdict: "safe",
      says: `A Vault is raised: ${replicas === 1 ? "1 node" : `${replicas} nodes`}, initialised, unsealed${seal ? ` by the seal ${seal.type}, without shares` : ""}${replicas === 1 ? "" : ", joined"} and proved.`,
      because: ["this stack has initialised no Vault yet"],
      covers: made.map(({ name }) => name),
    },
  ];
}

/** The steps that run again: each asks first, and does nothing where all is done. */
export function stepsAgain({ changes }: Plan, covered: ReadonlySet<string>): Explained[] {
  const steps = changes.filter(
    ({ name, op, type }) =>
      type === "command:local:Command" &&
      /^(lifecycle-|vault-tls-|vault-leave$|cluster-)/.test(name) &&
      !covered.has(name) &&
      (op === "update" || op === "create"),
  );
  if (steps.length === 0) return [];
  const names = steps.map(({ name }) => name);
  const some = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  return [
    {
      verdict: "safe",
      says: `${names.length === 1 ? "1 step runs" : `${names.length} steps run`} again; each looks first, and changes nothing where nothing is to do.`,
      because: [`another input, or another state found: ${inRow(some)}`],
      covers: names,
    },
  ];
}

/** How the keys of a stack end with it (teardown.retainData): nothing is touched before that. */
export function keysAtTheEnd({ changes, settings }: Plan): Explained[] {
  const own = changes.filter(({ name }) => name === "vault-keys" || name === "lifecycle-keys");
  if (own.length === 0) return [];
  const { retainData } = settings.teardown;
  return [
    {
      verdict: "safe",
      says: `npm run down will ${retainData ? "leave" : "take"} Vault's volumes and keys${retainData ? "" : " with it"}.`,
      because: [`teardown.retainData: ${retainData}`],
      covers: own.map(({ name }) => name),
    },
  ];
}

/** What may hold data, or other things: a step with an end of its own counts, too. */
const holders =
  /:(Namespace|PersistentVolume|PersistentVolumeClaim|StatefulSet|Release|CustomResourceDefinition)$/;

/** Everything else, one by one, and never as safe where something ends. */
export function unexplained(plan: Plan, covered: ReadonlySet<string>): Explained[] {
  return plan.changes
    .filter(({ name }) => !covered.has(name))
    .map((change) => {
      const { name, type, op, differing } = change;
      const verdict = carefully(change);
      const explained: Explained = {
        verdict,
        says: `${name} (${type.split(":").at(-1)}) is ${past[op]}.${verdict === "safe" ? "" : " What comes of that is not known to this preview; look at the diff."}`,
        because: differing.length > 0 ? differing : [`${name}: ${op}`],
        covers: [name],
      };
      if (verdict !== "destructive") return explained;
      const ids =
        plan.vault?.clusterId === undefined
          ? Object.values(plan.vault?.stores ?? {})
          : [plan.vault.clusterId];
      if (ids.length === 0 || ids.every((id) => plan.settings.vault.giveUp.includes(id))) return explained;
      return {
        ...explained,
        refused: {
          why: "It may hold data. Put the setting back; or, if nothing of it is needed, say so by giving this Vault up by its id.",
          next: [...plan.commands.snapshot(), plan.commands.giveUp(ids), plan.commands.up],
        },
      };
    });
}

function carefully({ op, type, before, retained }: Change): Verdict {
  if (op === "create") return "safe";
  if (op === "update" || retained) return "disruptive";
  return holders.test(type) || typeof before.delete === "string" ? "destructive" : "disruptive";
}

const past: Record<Change["op"], string> = {
  create: "made",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
};
