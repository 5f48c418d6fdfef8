/** Looks at a Vault that was made by hand, and at what a stack that goes on with it would be. Changes nothing there. */
import { relative } from "node:path";
import type { Settings } from "../../config.ts";
import { CommandError } from "../../setup/command.ts";
import { checkout, local } from "../../setup/folders.ts";
import { rightsProblems } from "../../setup/preflight-existing.ts";
import type { Stack } from "../../setup/stack.ts";
import { loadSources } from "../../sources.ts";
import { kubeconfigPath } from "../../steps/lib/cluster.ts";
import { keysPath, readKeys } from "../../steps/lib/keys-file.ts";
import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { type Adoption, adoptionOf } from "./adoption.ts";
import type { Found, Place } from "./found.ts";
import { gatherFound, peersOf } from "./gather.ts";
import { type GivenKeys, keysProblem } from "./given-keys.ts";
import { problemsOf } from "./look.ts";
import { stackProblems } from "./stack-problems.ts";
import { adoptedValues } from "./take-over.ts";

/** A Vault that can be taken over, as far as can be seen without its shares. */
export interface Examined {
  found: Found;
  road: Road;
  adoption: Adoption;
  /** Shares that unseal it. */
  threshold: number;
}

/**
 * @param keys undefined where they are asked for later
 * @param texts the stack's settings as its file has them
 * @throws CommandError that lists every problem
 */
export async function examine(
  stack: Stack,
  {
    settings,
    texts,
    keys,
  }: { settings: Settings; texts: Record<string, string>; keys: GivenKeys | undefined },
  { kube, namespace, signal }: Place,
): Promise<Examined> {
  const stackDir = relative(checkout, stack.dir);
  const delegates = { namespaceStands: true, delegates: true };
  // Who may not look cannot say what else is wrong.
  refuse(await rightsProblems(kube, { settings, stack: stack.name, stackDir }, delegates, signal));
  const { found, road } = await gatherFound(kubeconfigPath(stackDir), { kube, namespace, signal });
  const [first] = found.pods;
  if (first && keys?.rootToken)
    found.peers = await peersOf(new Vault(road, first.name, { signal }, keys.rootToken));

  const source = loadSources(local.sources).vault;
  const adoption = adoptionOf(found, namespace);
  const problems = problemsOf(found, { stack: stack.name, namespace, source });
  const wrongKeys = keys && first?.threshold ? keysProblem(keys, first.threshold) : undefined;
  if (wrongKeys !== undefined) problems.push(wrongKeys);
  const journal = await readKeys(stack.dir);
  if (journal !== undefined && (journal.adoptedAt === undefined || journal.pvcUid !== first?.store))
    problems.push(`${keysPath(stackDir)} has the keys of another Vault.\n    ls -l ${stackDir}`);
  if (settings.custody.mode === "pgp") problems.push(bringsItsShares);
  const own = texts["vault.valuesFile"];
  if (own !== undefined && own !== adoptedValues(stack.name))
    problems.push(
      `vault.valuesFile: the stack has values of its own (${own}), and those that were given to Helm take their place.\n    pulumi config rm vault.valuesFile`,
    );
  // What nobody has installed has no values to be looked at.
  if (found.release !== undefined && found.pods.length > 0)
    problems.push(...stackProblems(adoption, texts, found, { source, namespace, folder: stack.dir }));
  refuse(problems);
  return { found, road, adoption, threshold: first?.threshold ?? 0 };
}

/** Custody is decided where Vault is initialised. */
export const bringsItsShares =
  "custody.mode: this Vault was initialised with shares of its own, which the stack is given now; pgp counts at an initialisation only.\n    pulumi config rm custody.mode   (and custody.holders, custody.rootHolder)";

/** Throws where there is any problem. */
export function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new CommandError(
    `This Vault cannot be taken over as it is. Nothing was changed.\n  ${problems.join("\n  ")}`,
  );
}
