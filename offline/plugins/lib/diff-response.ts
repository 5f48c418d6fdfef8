import pb from "@pulumi/pulumi/proto/provider_pb.js";
import { type Change, rootOf } from "./diff.ts";
import type { Difference } from "./plugin.ts";

const { Kind } = pb.PropertyDiff;
const kinds = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
} as const satisfies Record<Change, readonly [number, number]>;

/** A difference as the engine wants it: every path with its kind, and the properties by which it groups them. */
export function diffResponse({ changes, replaces }: Difference): pb.DiffResponse {
  const response = new pb.DiffResponse();
  response.setHasdetaileddiff(true);
  response.setChanges(
    changes.size > 0 ? pb.DiffResponse.DiffChanges.DIFF_SOME : pb.DiffResponse.DiffChanges.DIFF_NONE,
  );
  const paths = [...changes.keys()];
  for (const [path, change] of changes) {
    const detail = new pb.PropertyDiff();
    detail.setKind(kinds[change][replaces(path) ? 1 : 0]);
    response.getDetaileddiffMap().set(path, detail);
  }
  response.setDiffsList([...new Set(paths.map(rootOf))]);
  response.setReplacesList([...new Set(paths.filter(replaces).map(rootOf))]);
  return response;
}
