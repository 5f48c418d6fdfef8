import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { rollingPods } from "./lib/rolling-pods.ts";
import { rollOut } from "./lib/rollout.ts";
import { snapshotFolder } from "./lib/snapshot-record.ts";
import { Target } from "./lib/target.ts";
import type { Vault } from "./lib/vault.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  shares: z.array(z.string().min(1)).min(1),
  threshold: z.number().int().min(1),
  token: z.string().min(1),
});

/** Brings the pods that run to what the release and its certificate are now, the leader last. */
await runStep("rollout", Input, async (input, step) => {
  const snapshot = async (leader: Vault) => {
    // Hardly ever wanted, and it loads a library.
    const { saveSnapshot } = await import("./lib/snapshot.ts");
    step.say("a snapshot first, as the way back:");
    await saveSnapshot(leader, snapshotFolder(input.stackDir), input.stack, step);
  };
  const pods = await rollingPods(input, input.pods, input.token, step.signal);
  return rollOut(pods, { ...input, snapshot }, step);
});
