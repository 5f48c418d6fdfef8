import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { rollingPods } from "./lib/rolling-pods.ts";
import { rollOut } from "./lib/rollout.ts";
import { sealType } from "./lib/self-unseal.ts";
import { stackToken } from "./lib/stack-token.ts";
import { Target } from "./lib/target.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  /** Key shares; none with a seal, or where people hold them (byHolders). */
  shares: z.array(z.string().min(1)).default([]),
  byHolders: z.boolean().default(false),
  threshold: z.number().int().min(0).default(0),
  /** What unseals the nodes by itself. */
  seal: sealType.optional(),
  /** Where people hold the shares, "": the step that answers with the stack's token comes after this one. */
  token: z.string(),
});

/** Brings the pods that run to what the release and its certificate are now, the leader last. */
await runStep("rollout", Input, async (input, step) => {
  const token = input.token || ((await stackToken(input)) ?? "");
  step.hide(token);
  return rollOut(await rollingPods(input, input.pods, token, step.signal), input, step);
});
