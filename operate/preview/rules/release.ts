/** A change of the values, the chart or the image of Vault's release, whose StatefulSet stays. */
import { isDeepStrictEqual } from "node:util";
import { valueAt } from "../../../components/values-file.ts";
import { type Change, computed } from "../change.ts";
import { cause, type Explained, inRow } from "../consequence.ts";
import type { Plan } from "../plan.ts";
import { causesOf, partOf, type ValueChange, valueChanges } from "../values-diff.ts";
import { restart } from "./restart.ts";
import { volumeLoss } from "./volumes.ts";

const covers = ["vault-release"];

/** Everything that comes of another release but for the number of nodes (replicas.ts). */
export function releaseChanges(plan: Plan): Explained[] {
  const release = plan.changes.find(({ name, op }) => name === "vault-release" && op === "update");
  if (release === undefined || plan.release === undefined) return restart(plan, []);
  const { before, after } = plan.release;
  const chart = anotherChart(release);
  const hashesConfig = valueAt(after, "server.includeConfigAnnotation") === true;
  const changes = valueChanges(before, after);
  const of = (part: ReturnType<typeof partOf>) =>
    changes.filter(({ path }) => partOf(path, { hashesConfig }) === part);
  const turned = valueAt(before, "global.tlsDisable") !== valueAt(after, "global.tlsDisable");
  const own = (change: ValueChange) => !(turned && comesWithTls.test(change.path));
  const ofPods = [...of("pods").filter(own).flatMap(causesOf), ...chart];
  const found = [
    ...volumeLoss(plan, before, after, of("volumes")),
    // A node that is restarted reads its new configuration, too.
    ...restart(plan, ofPods.length > 0 ? [...ofPods, ...of("config").filter(own).flatMap(causesOf)] : []),
    ...(ofPods.length > 0 ? [] : newConfiguration(of("config"))),
    ...reach(of("reach")),
    ...around(of("around")),
  ];
  if (changes.length + chart.length > 0) return found;
  // What Helm could not finish is brought to its values once more.
  const says = "Helm brings the release to its values once more.";
  return [...found, { verdict: "safe", says, because: [], covers }];
}

/** What Vault's scheme brings with it; the setting says it all. */
const comesWithTls =
  /^server\.(ha\.raft\.config|volumes|volumeMounts|extraEnvironmentVars\.VAULT_CACERT|extraContainers|shareProcessNamespace)$/;

/** Where the chart comes from; its version is on the pods, and anything else in them may differ with it. */
function anotherChart({ before, after }: Change): string[] {
  return ["chart", "version", "repositoryOpts"].flatMap((key) => {
    const [was, is] = [before[key], after[key]];
    // A version that nobody names is found by the plug-in, once it can look.
    return is === undefined || is === computed || isDeepStrictEqual(was, is) ? [] : [cause(key, was, is)];
  });
}

function newConfiguration(changes: ValueChange[]): Explained[] {
  if (changes.length === 0) return [];
  return [
    {
      verdict: "safe",
      says: "Vault's configuration is another one. No node is restarted for it: each reads it when it is started again.",
      because: changes.flatMap(causesOf),
      covers,
    },
  ];
}

function reach(changes: ValueChange[]): Explained[] {
  if (changes.length === 0) return [];
  const about = [...new Set(changes.map(({ path }) => path.split(".").slice(0, 2).join(".")))];
  return [
    {
      verdict: "disruptive",
      says: `How clients reach Vault is changed (${inRow(about)}). No node is restarted.`,
      because: changes.flatMap(causesOf),
      covers,
    },
  ];
}

function around(changes: ValueChange[]): Explained[] {
  if (changes.length === 0) return [];
  const deletes = changes.some(({ path, to }) => path.includes("RetentionPolicy.") && to === "Delete");
  return [
    {
      verdict: deletes ? "disruptive" : "safe",
      says: deletes
        ? "From now on Kubernetes deletes a node's volume, with its data, when the node is no longer wanted."
        : "Objects beside the nodes are changed. No node is restarted.",
      because: changes.flatMap(causesOf),
      covers,
    },
  ];
}
