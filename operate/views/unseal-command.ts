import { commandsOf, type Named } from "./commands.ts";
import type { Views } from "./views.ts";

/**
 * What unseals a sealed node. `up` runs a node's unseal step when it sees another container than the one that was
 * unsealed; where the same one is sealed, the step has to be told to run again. Where people hold the shares, they do it.
 */
export function unsealCommand(
  subject: Named,
  { pulumi, kubernetes, journal }: Pick<Views, "pulumi" | "kubernetes" | "journal">,
  node: string,
): string {
  const { up, again, unseal } = commandsOf(subject);
  if (pulumi.byHolders || journal.value?.holders) return unseal;
  const known = pulumi.nodes[node]?.container;
  const now = kubernetes?.value?.pods[node]?.container;
  return known !== undefined && known === now ? again(`unseal-${node}`) : up;
}
