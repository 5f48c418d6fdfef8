import { relative } from "node:path";
import { CommandError } from "../../setup/command.ts";
import { checkout } from "../../setup/folders.ts";
import { Stack } from "../../setup/stack.ts";
import { authorityPath } from "../../steps/lib/tls-secret.ts";
import { bringKubeconfig, resourcesOf, targetOf, vaultKeys } from "../open-vault.ts";
import { readStackFile } from "../stack-file.ts";
import { commandsOf } from "../views/commands.ts";
import { placeOf, type Through } from "./place.ts";
import type { Toured } from "./tour.ts";

/**
 * The Vault of a stack that `up` has made, and the way in. Nothing is asked of it.
 * @throws CommandError where there is no such stack, its settings or its state cannot be read, or its Vault has no keys yet
 */
export async function openTour(name: string, through: Through): Promise<{ stack: Stack; toured: Toured }> {
  const { settings } = readStackFile(name);
  const stack = new Stack(name);
  const resources = await resourcesOf(stack);
  await bringKubeconfig(stack);
  const target = targetOf(stack, resources);
  const stackDir = relative(checkout, stack.dir);
  const { up, doctor, kubectl } = commandsOf({ stack: name, stackDir, target, pods: [] });
  const keys = target && (await vaultKeys({ stack, target, resources }));
  if (target === undefined || keys === undefined)
    throw new CommandError(`Stack ${name} has no Vault that is initialised.\nNext: ${up}`);
  if (settings.cluster.existing && through === "ingress")
    throw new CommandError(
      `Stack ${name} is on a cluster that exists, whose ingress this program does not know.\nNext: npm run tour -- --stack ${name}`,
    );
  // Nothing of this machine leads there by itself.
  const forward = kubectl("port-forward service/vault 8200:8200   (in another terminal)");
  const way = settings.cluster.existing ? forward : doctor;
  const place = placeOf(settings, through, target.scheme, authorityPath(stack.dir));
  return { stack, toured: { place, token: keys.rootToken, next: { up, doctor, way } } };
}
