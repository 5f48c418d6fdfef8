import { giveUpCommand } from "../../steps/lib/target.ts";
import { commandsOf } from "../views/commands.ts";
import type { Evidence } from "./evidence/evidence.ts";

/**
 * Lets blank nodes join in the place of these, whose stores are lost: the stack has to be told that the known ones
 * are given up (docs/init.md, The identity), or it refuses.
 */
export function giveUpLines(
  { subject, pulumi, kubernetes }: Pick<Evidence, "subject" | "pulumi" | "kubernetes">,
  nodes: readonly string[],
): string[] {
  // The stack refuses as long as one store is not the known one, so all that differ have to be named at once.
  const differing = subject.pods.filter((node) => {
    const found = kubernetes?.value?.pods[node]?.claim?.uid;
    const known = pulumi.pinned.stores[node];
    return found !== undefined && known !== undefined && found !== known;
  });
  const lost = [...new Set([...nodes, ...differing])].map(
    (node) => pulumi.pinned.stores[node] ?? `<UID of the lost PVC data-${node}>`,
  );
  return [
    giveUpCommand({ giveUp: subject.target?.giveUp ?? [], stack: subject.stack }, lost),
    commandsOf(subject).up,
    `pulumi config rm vault.giveUp --stack ${subject.stack}`,
  ];
}
