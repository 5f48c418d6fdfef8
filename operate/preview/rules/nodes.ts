/** What is told of the nodes as they run: those that are sealed, and those that are not the ones that are known. */

import { computed } from "../change.ts";
import { type Explained, inRow } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** Nodes that run in another container than the one that was unsealed, and others that say that they are sealed. */
export function unseals(plan: Plan): Explained[] {
  const steps = plan.changes.filter(
    ({ name, op }) => name.startsWith("lifecycle-unseal-") && op === "update",
  );
  const found = steps.flatMap(({ name, before, after, differing }) => {
    const pod = name.slice("lifecycle-unseal-".length);
    const node = plan.running.nodes.find(({ name }) => name === pod);
    const [was, is] = [containerIn(before), containerIn(after)];
    const known = is !== computed && is !== "unknown" && was !== is;
    const another = differing.includes("environment.CONTAINER") && known;
    if (node?.seal !== undefined) return [];
    if (node?.sealed === true)
      return [{ name, pod, why: another ? "runs in another container" : "is sealed" }];
    // Who does not answer may be sealed; who is unsealed by somebody else has nothing to wait for.
    return another && node?.sealed === undefined ? [{ name, pod, why: "runs in another container" }] : [];
  });
  if (found.length === 0) return [];
  const pods = found.map(({ pod }) => pod);
  return [
    {
      verdict: "safe",
      says:
        plan.settings.custody.mode === "pgp"
          ? `${inRow(pods)} ${pods.length === 1 ? "waits" : "wait"} for the holders of the shares to unseal ${pods.length === 1 ? "it" : "them"} (npm run unseal -- --stack ${plan.stack}).`
          : `${inRow(pods)} ${pods.length === 1 ? "is" : "are"} unsealed.`,
      because: found.map(({ pod, why }) => `${pod} ${why}`),
      covers: [...found.map(({ name }) => name), "lifecycle-verify"],
    },
  ];
}

const containerIn = (inputs: Record<string, unknown>) =>
  (inputs.environment as Record<string, string> | undefined)?.CONTAINER;

/** Shares and threshold are decided once, at initialisation. */
export function keyNote({ settings, running, vault }: Plan): Explained[] {
  const { shares, threshold } = settings.vault;
  const { key } = running;
  if (vault === undefined || key === undefined) return [];
  const because = [
    ...(key.shares === shares ? [] : [`vault.shares is ${shares}, and Vault has ${key.shares}`]),
    ...(key.threshold === threshold
      ? []
      : [`vault.threshold is ${threshold}, and Vault's is ${key.threshold}`]),
  ];
  if (because.length === 0) return [];
  return [
    {
      verdict: "safe",
      says: "The key shares stay as they are: these settings count at initialisation only. A running Vault is given other shares by rekeying it (vault operator rekey), which this program does not do.",
      because,
      covers: [],
    },
  ];
}
