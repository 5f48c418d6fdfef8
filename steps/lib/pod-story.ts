import type { Pod } from "./pod.ts";

/** The chart's name for Vault's own container. */
const vaultContainer = "vault";

export type Story =
  | { running: true; container: string; words: string; reasons: 0 }
  /** `reasons`: how many reasons the status has, beside the phase. */
  | { running: false; container?: never; words: string; reasons: number };

/** Whether a pod's Vault container runs, and if not, why not, in Kubernetes' own words. */
export function storyOf(pod: Pod): Story {
  const { name } = pod.metadata;
  const { phase = "Unknown", conditions = [], containerStatuses = [] } = pod.status;
  const container = containerStatuses.find(({ name }) => name === vaultContainer);
  if (container?.state?.running !== undefined && container.containerID !== undefined) {
    return { running: true, container: container.containerID, words: `pod ${name} runs`, reasons: 0 };
  }
  const waiting = container?.state?.waiting;
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  const unmet = conditions.find(({ type, status }) => type === "PodScheduled" && status === "False");
  const reasons = [
    unmet && reasonOf(unmet),
    waiting && reasonOf(waiting),
    ended &&
      `its last container ended with exit code ${ended.exitCode} (${ended.reason ?? "no reason given"})`,
  ].filter((reason) => reason !== undefined);
  const state = pod.metadata.deletionTimestamp === undefined ? phase : "being deleted";
  const words = `pod ${name} does not run (${[state, ...reasons].join("; ")})`;
  return { running: false, words, reasons: reasons.length };
}

function reasonOf({
  reason,
  message,
}: {
  reason?: string | undefined;
  message?: string | undefined;
}): string {
  return [reason, message].filter((part) => part !== undefined && part !== "").join(": ");
}
