import { existsSync } from "node:fs";
import type { Resource, Stack } from "../../setup/stack.ts";
import { keysPath } from "../../steps/lib/keys-file.ts";
import type { Judgement } from "./judge.ts";

/**
 * What an update of a stack that has initialised a Vault comes to. `npm run up` asks no question, so it must not do
 * what nobody who changes a number of replicas or a port expects.
 * @returns undefined where there is no Vault yet, which a first `up` must not pay for, and where no preview can be
 * made: the update says why, and changes nothing
 */
export async function judgeUpdate(
  stack: Stack,
  resources: readonly Resource[],
): Promise<Judgement | undefined> {
  const initialised = resources.some(({ urn }) => urn.endsWith("::lifecycle-init-vault-0"));
  if (!initialised && !existsSync(keysPath(stack.dir))) return undefined;
  const { previewData } = await import("./pulumi-preview.ts");
  const preview = await previewData(stack).catch(() => undefined);
  if (preview === undefined) return undefined;
  const [{ gatherPlan }, { judge }] = await Promise.all([import("./gather.ts"), import("./judge.ts")]);
  return judge(await gatherPlan(stack.name, preview));
}
