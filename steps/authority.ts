import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { makeAuthority } from "./lib/x509.ts";

const Input = z.object({ stack: z.string().min(1) }).extend(Timeout.shape);

/** Makes a certificate authority for the stack. It is made once: what it signs is trusted for as long as it is. */
await runStep("authority", Input, async ({ stack }, step) => {
  const authority = await makeAuthority(`vault-ha ${stack}`);
  step.say(`made an authority, good until ${authority.notAfter.slice(0, 10)}`);
  return authority;
});
