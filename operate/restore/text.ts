import { bytes } from "../snapshot/text.ts";
import type { Plan } from "./plan.ts";
import type { Rehearsed } from "./rehearse-restore.ts";
import type { Outcome } from "./restore.ts";
import type { Restoring } from "./restoring.ts";

/** What a restore would do and what would be lost, before it is begun. */
export function planText(plan: Plan, { stack, pods, fromCluster }: Restoring): string {
  const { file, facts, record, live, begun, force } = plan;
  const taken = record ? `taken ${record.savedAt}` : "when it was taken is not noted";
  const ahead = live && !force ? live.index - facts.index : undefined;
  return [
    `Restore of ${file} (${bytes(facts.size)}, raft index ${facts.index}, ${taken}) into stack ${stack}.`,
    ...(begun
      ? [`  It was begun at ${begun.begunAt} and cut off; it goes on. The way back is ${begun.safety}`]
      : []),
    ...(force
      ? [
          `  lost: everything in the Vault that runs (${live?.clusterId ?? begun?.formerCluster ?? "sealed"}), its tokens and its shares' use`,
          `  in its place: the Vault ${fromCluster}, opened by the shares and the root token of that time`,
          `  for a while: ${pods.join(", ")} are sealed; each is unsealed with those shares`,
        ]
      : [
          `  lost: everything that was written since${ahead === undefined ? "" : ` (the log is ${ahead} entries further, at ${live?.index})`}, and tokens and leases made since`,
          "  for a while: no node answers, some seconds as a rule",
        ]),
    ...(begun ? [] : ["  before: what runs is saved as a snapshot, as the way back"]),
    "",
  ].join("\n");
}

/** What it came to. */
export function outcomeText(
  { file, safety, leader, voters, marker, formerCluster }: Outcome,
  stack: string,
): string {
  const flag = stack === "dev" ? "" : ` -- --stack ${stack}`;
  return [
    `Restored ${file}: ${voters} voter${voters === 1 ? "" : "s"}, ${leader} leads.`,
    marker
      ? "  proved: what was written just before the snapshot was read back"
      : "  proved: what was written after the snapshot is gone (no marker was noted for this one)",
    `  the way back: npm run restore ${safety}${formerCluster ? `${flag === "" ? " --" : flag} --from-cluster ${formerCluster}` : flag}`,
    ...(formerCluster
      ? [`Next, so that Pulumi's state has the keys and the id of this Vault:\n  npm run up${flag}`]
      : [`Next: npm run status${flag}`]),
    "",
  ].join("\n");
}

/** What a rehearsal has proved. */
export function rehearsedText({
  file,
  secrets,
  seconds,
  engines,
  deleted,
  marker,
  index,
}: Rehearsed): string {
  return [
    `Restore proved: ${file}, raft index ${index}.`,
    `  ${secrets} secrets of ${engines.length === 0 ? "no kv engine" : engines.join(", ")} were read${deleted > 0 ? `; ${deleted} have no version to read` : ""}`,
    ...(marker ? ["  what was written just before the snapshot was read back"] : []),
    `  it took ${seconds} s from the moment in which the pod ran`,
    "",
  ].join("\n");
}
