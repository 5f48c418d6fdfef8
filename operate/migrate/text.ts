/** What `npm run migrate standalone` says before it begins, and at its end. */
import type { Standalone } from "./found.ts";
import { migratedMark } from "./volume-script.ts";

interface Told {
  stack: string;
  namespace: string;
  found: Standalone;
}

/** What comes of it when the data is kept. */
export function planText({ stack, namespace, found }: Told): string {
  const size = found.volumes.find(({ name }) => name === "data")?.size ?? "unknown size";
  return [
    `The Standalone in namespace ${namespace} (Vault ${found.vault?.version}, storage file, a volume of ${size}) comes to the stack ${stack}:`,
    "  1. its shares are proved, while it runs, and written to the stack's journal",
    "  2. it is stopped: from here on nobody is served, until npm run up has raised the nodes",
    "  3. a copy of its volume is kept on this machine",
    "  4. vault operator migrate brings its data into Raft, on the same volume; its files stay as they are",
    `  5. its StatefulSet is deleted, and the namespace is the stack's`,
    `  6. npm run up -- --stack ${stack} raises the nodes, with the same shares, the same root token and the same data`,
    "",
  ].join("\n");
}

/** What is lost when it is begun anew. */
export function lossText({ stack, namespace, found }: Told): string {
  return [
    `Begun anew: the Standalone in namespace ${namespace} and ALL of its data are deleted, for the stack ${stack}.`,
    "Lost, with no way back: every secret in it, every policy, login, token and lease, its audit devices, and its shares, which open nothing any more.",
    `What its volume data-vault-0 holds is deleted with it (${found.vault?.storage_type ?? "its storage is not known"}${found.vault?.initialized === false ? ", not initialised" : ""}). Helm's note of the release and the StatefulSet are kept on this machine.`,
    "Nothing is lost without --begin-anew: its data is brought over.",
    "",
  ].join("\n");
}

export function endText(stack: string, namespace: string, kept: { copy: string } | undefined): string {
  const kubectl = `kubectl --kubeconfig .local/stacks/${stack}/kubeconfig --namespace ${namespace}`;
  return [
    "",
    kept
      ? `The data is in Raft, and stack ${stack} goes on with it. Next:`
      : `The Standalone is gone, and its namespace is the stack ${stack}'s. Next:`,
    `  npm run up -- --stack ${stack}`,
    ...(kept
      ? [
          "",
          "Once all is proved, and a snapshot of the new Vault was taken, what is left of the old one can go:",
          `  ${kubectl} exec vault-0 -- sh -c 'cd /vault/data && rm -r core logical sys auth audit ${migratedMark} 2>/dev/null; ls'`,
          `  rm ${kept.copy}`,
        ]
      : []),
    "",
  ].join("\n");
}
