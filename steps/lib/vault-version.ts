/** What an image's tag, or Vault itself, says of its version. */

/** The numbers of a version; a tag such as 1.21 names no patch release. */
const numbers = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/;

/** The numbers that a text says: "1.21.1", "v1.21", "1.21.1-ent". undefined for a digest, "latest" and the like. */
export function versionNumbers(text: string): number[] | undefined {
  const found = numbers.exec(text)?.slice(1);
  return found?.filter((part) => part !== undefined).map(Number);
}

/**
 * Whether one version is older than another, as far as both say: 1.21 is not older than 1.21.1, and suffixes (-ent, -rc1)
 * are not compared. Vault does not read what a newer version of it may have stored:
 * https://developer.hashicorp.com/vault/docs/upgrading
 * @returns undefined where one of them says no version
 */
export function isOlder(one: string, other: string): boolean | undefined {
  const [left, right] = [versionNumbers(one), versionNumbers(other)];
  if (left === undefined || right === undefined) return undefined;
  const at = left.findIndex((part, index) => right[index] !== undefined && part !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

/** The tag of an image's name; "" where it has none, the digest where it is named by that. */
export function tagOf(image: string): string {
  const [name = "", digest] = image.split("@");
  return digest ?? /:([^/:]+)$/.exec(name)?.[1] ?? "";
}
