import type { CertificateSeen } from "../views/tls-view.ts";

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

/** "1 day", "12 days". */
export function daysInWords(days: number): string {
  return days === 1 ? "1 day" : `${days} days`;
}

/** "2E:28:16:D7": enough to tell certificates of one stack apart. */
export function shortFingerprint({ fingerprint }: Pick<CertificateSeen, "fingerprint">): string {
  return fingerprint.slice(0, 11);
}

/** "2026-11-25" for a time in ISO 8601. */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}
