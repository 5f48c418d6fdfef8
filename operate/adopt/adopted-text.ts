/** What `npm run adopt` says at its end. */

/** @param older the pods that were made from an older template than the release has now */
export function adoptedText(stack: string, pods: readonly string[], older: readonly string[]): string {
  return [
    "",
    `Stack ${stack} goes on with this Vault: ${pods.length} nodes, none of which was started anew.`,
    ...(older.length === 0
      ? ["Each pod is as the release has it."]
      : [
          `Made from an older template than the release has now: ${older.join(", ")}. They run on as they are. The next change`,
          "of the release's values starts them anew, one at a time, the leader last; so does whoever deletes one.",
        ]),
    "",
    `  npm run status -- --stack ${stack}`,
    `  npm run preview -- --stack ${stack}`,
    `  pulumi config set vault.tls.enabled true --stack ${stack}   (HTTPS; then npm run up -- --stack ${stack})`,
    "",
    "Whoever has the shares has Vault: put the file with them away, or remove it.",
    "",
  ].join("\n");
}

/** For a stack that has taken its Vault over. */
export const alreadyText = (stack: string) =>
  `Stack ${stack} has taken its Vault over already. Nothing was changed.\n  npm run status -- --stack ${stack}\n`;
