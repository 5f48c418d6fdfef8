import { z } from "zod";
import { parseHcl } from "../../components/hcl.ts";
import type { Resource } from "../../setup/stack.ts";

const ReleaseInputs = z.object({
  values: z.object({ server: z.object({ ha: z.object({ raft: z.object({ config: z.string() }) }) }) }),
});

/**
 * Raft's performance_multiplier in the values of the stack's release; undefined where the state does not tell.
 * A node that was not started again since the values changed still runs with the one from before.
 */
export function multiplierOf(resources: readonly Resource[]): number | undefined {
  const release = resources.find(({ urn }) => urn.endsWith("::vault-release"));
  const inputs = ReleaseInputs.safeParse(release?.inputs);
  if (!inputs.success) return undefined;
  const storage = parseHcl(inputs.data.values.server.ha.raft.config).blocks.find(
    ({ type }) => type === "storage",
  );
  const found = storage?.body.attributes.findLast(({ key }) => key === "performance_multiplier");
  // Vault's own is 5: https://developer.hashicorp.com/vault/docs/configuration/storage/raft
  return storage === undefined ? undefined : Number(found?.value ?? 5);
}
