/** "3f2a91" for "containerd://3f2a91c0...": enough to tell containers of one pod apart. */
export function shortContainer(identity: string): string {
  return identity.replace(/^\w+:\/\//, "").slice(0, 6);
}

/** The first group of a UID. */
export function shortUid(uid: string): string {
  return uid.split("-")[0] ?? uid;
}

/** "vault-1 and vault-2". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
