/** What the nodes' volumes are made from, which a StatefulSet does not let be changed. */
import { isMap, type Values, valueAt } from "../../../components/values-file.ts";
import type { VolumeTemplate } from "../../views/volume-templates.ts";
import { cause, type Explained } from "../consequence.ts";
import type { Plan } from "../plan.ts";
import { causesOf, type ValueChange } from "../values-diff.ts";

const covers = ["vault-release"];

/**
 * A change of the StatefulSet's volumeClaimTemplates: Kubernetes forbids it, and Helm's upgrade would fail half way
 * ("updates to statefulset spec for fields other than ... are forbidden"). What counts is the StatefulSet that is there:
 * after an upgrade that failed so, the state has the values that it could not get.
 */
export function volumeLoss(
  plan: Plan,
  before: Values,
  after: Values,
  changes: readonly ValueChange[],
): Explained[] {
  const { running, commands } = plan;
  const because =
    running.volumes === undefined
      ? changes.flatMap(causesOf)
      : running.volumes.length === 0
        ? []
        : differences(running.volumes, templatesOf(after));
  if (because.length === 0) return kept(changes, running.volumes);
  const former = running.volumes ?? templatesOf(before);
  const removed = former.length > templatesOf(after).length;
  return [
    {
      verdict: "destructive",
      says: `What the nodes' volumes are made from cannot be changed in place: Kubernetes forbids it, and the update would fail half way. The volumes that are there stay as they are${removed ? ", the one that is to go as well" : ""}.`,
      because,
      covers,
      refused: {
        why: "Put the setting back. Or have the StatefulSet made anew, which leaves its pods and volumes alone; docs/preview.md says how each node then comes to a new volume without losing data.",
        next: [
          ...commands.snapshot(),
          commands.kubectl("delete statefulset vault --cascade=orphan"),
          commands.up,
        ],
      },
    },
  ];
}

/** The way back from an upgrade that failed, or a StatefulSet that is made anew. */
function kept(changes: readonly ValueChange[], volumes: Plan["running"]["volumes"]): Explained[] {
  if (changes.length === 0) return [];
  const anew = volumes?.length === 0;
  return [
    {
      verdict: "safe",
      says: anew
        ? "The StatefulSet is made anew, around the pods and volumes that are there. A volume that is made from now on is of the new kind."
        : "The volumes are of this kind already.",
      because: changes.flatMap(causesOf),
      covers,
    },
  ];
}

/** What the chart makes of values; its own defaults are those of hashicorp/vault. */
function templatesOf(values: Values): VolumeTemplate[] {
  return ["data", "audit"].flatMap((name) => {
    const storage = valueAt(values, `server.${name}Storage`);
    if (!isMap(storage)) return name === "data" ? [{ name, size: "10Gi" }] : [];
    if (name === "audit" && storage.enabled !== true) return [];
    const { size = "10Gi", storageClass } = storage;
    return [{ name, size: String(size), ...(storageClass ? { storageClass: String(storageClass) } : {}) }];
  });
}

function differences(there: readonly VolumeTemplate[], wanted: readonly VolumeTemplate[]): string[] {
  const names = [...new Set([...there, ...wanted].map(({ name }) => name))];
  return names.flatMap((name) => {
    const [is, to] = [there, wanted].map((list) => list.find((each) => each.name === name));
    if (is === undefined || to === undefined)
      return [cause(settingOf(name, "enabled"), is !== undefined, to !== undefined)];
    return [
      ...(is.size === to.size ? [] : [cause(settingOf(name, "size"), is.size, to.size)]),
      ...(is.storageClass === to.storageClass
        ? []
        : [cause(settingOf(name, "storageClass"), is.storageClass, to.storageClass)]),
    ];
  });
}

const settingOf = (name: string, key: string) =>
  name === "data"
    ? ({ size: "vault.storageSize", storageClass: "vault.storageClass" }[key] ?? `server.dataStorage.${key}`)
    : key === "enabled"
      ? "audit.enabled"
      : `server.auditStorage.${key}`;
