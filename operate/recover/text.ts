/** What a recovery is about to do, and what it came to, as an operator reads it. */
import { giveUpLines } from "../doctor/give-up.ts";
import { commandsOf } from "../views/commands.ts";
import type { Subject } from "../views/subject.ts";
import type { Views } from "../views/views.ts";
import type { Found } from "./found.ts";
import type { Recovered } from "./recover.ts";

/**
 * What is left, and what may be lost.
 * @param holders where people hold the shares: how many are wanted, and what each of them types
 */
export function foundText(
  { voters, survivors, lost }: Found,
  holders?: { threshold: number; command: string },
): string {
  const majority = Math.floor(voters.length / 2) + 1;
  const most = Math.max(...survivors.map(({ index = -1 }) => index));
  const rows = [
    ...survivors.map(({ node, address, sealed, index }) => {
      const far = index === undefined ? "its raft index is told once it is unsealed" : `raft index ${index}`;
      const highest = survivors.length > 1 && index === most ? ", the highest" : "";
      return `  ${node} (${address}): has its store, ${sealed ? "sealed" : "unsealed"}, ${far}${highest}`;
    }),
    ...lost.map(({ node, address, why }) => `  ${node} (${address}): lost, ${why}`),
  ];
  return [
    `${voters.length} voters, ${majority} are a majority, ${survivors.length} ${survivors.length === 1 ? "has its store" : "have their stores"}:`,
    ...rows,
    `What is done: ${survivors.map(({ node }) => node).join(", ")} ${survivors.length === 1 ? "is" : "are"} restarted, copied to this machine, told by raft/peers.json to be the whole cluster, and unsealed${holders ? ` by holders of ${holders.threshold} shares, who are waited for (each: ${holders.command})` : ""}.`,
    `What may be lost: writes that Vault has acknowledged and that had reached only ${lost.map(({ node }) => node).join(", ")}. Nobody can tell which.`,
    "If a node that is lost ever comes back with its old store, there are two Vaults: delete that store first.",
  ].join("\n");
}

/** The commands by which blank nodes take the place of those that are lost. */
export function nextCommands(
  subject: Subject,
  views: Pick<Views, "pulumi" | "kubernetes">,
  found: Pick<Found, "lost">,
  { leader, address, lost }: Pick<Recovered, "leader" | "address" | "lost">,
): string[] {
  const { kubectl, vault } = commandsOf(subject);
  const [first = ""] = subject.pods;
  const there = found.lost.filter(({ store }) => store === "unknown");
  const claims = there.map(({ node }) => `pvc/data-${node} pod/${node}`).join(" ");
  const authority = address.startsWith("https:") ? '-leader-ca-cert="$(cat "$VAULT_CACERT")" ' : "";
  return [
    ...(there.length > 0
      ? [
          "# These nodes must not come back with their old stores.",
          kubectl(`delete --ignore-not-found ${claims}`),
        ]
      : []),
    ...(lost.includes(first)
      ? [
          `# ${first} is the one that the others join; blank itself, it joins ${leader} by hand.`,
          kubectl(`exec ${first} -- sh -c 'vault operator raft join ${authority}${address}'`),
        ]
      : []),
    "# The stack knows the lost stores, and refuses blank ones until they are given up (the UIDs of the claims).",
    ...giveUpLines({ subject, ...views }, lost),
    "# See who votes.",
    vault(leader, "operator raft list-peers"),
  ];
}

/** What it came to. */
export function recoveredText({ leader, voters, index, copies }: Recovered, next: readonly string[]): string {
  return [
    `${leader} leads. Voters: ${voters.join(", ")}. Raft index ${index}; a write was read back.`,
    ...copies.map((file) => `What was stored before: ${file}`),
    "Until others have joined, none may fail. Next:",
    ...next.map((line) => `  ${line}`),
    "",
  ].join("\n");
}
