import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { rollingPods } from "./lib/rolling-pods.ts";
import { rollOut } from "./lib/rollout.ts";
import { Target } from "./lib/target.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  shares: z.array(z.string().min(1)).min(1),
  threshold: z.number().int().min(1),
  token: z.string().min(1),
});

/** Brings the pods that run to what the release and its certificate are now, the leader last. */
await runStep("rollout", Input, async (input, step) =>
  rollOut(await rollingPods(input, input.pods, input.token, step.signal), input, step),
);
