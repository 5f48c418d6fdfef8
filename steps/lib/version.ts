/** A version as Vault and its image's tags have it: 1.21.1, v1.21.1, 1.21.1-ent. */
const version = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/;

/** Its three numbers; undefined where it is none: a digest, `latest`, `1.21`. */
export function versionOf(text: string): [number, number, number] | undefined {
  const [, major, minor, patch] = version.exec(text) ?? [];
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/** Whether one is of an earlier release than the other. What is no version is not older. */
export function isOlder(one: string, other: string, { patches = true } = {}): boolean {
  const [left, right] = [versionOf(one), versionOf(other)];
  if (left === undefined || right === undefined) return false;
  const at = left.findIndex((number, at) => number !== right[at]);
  if (at === -1 || (at === 2 && !patches)) return false;
  return (left[at] ?? 0) < (right[at] ?? 0);
}
