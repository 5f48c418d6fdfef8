import { z } from "zod";
import { runStep, Timeout } from "./lib/io.ts";
import { issueCertificate } from "./lib/x509.ts";

const Input = z
  .object({
    authority: z.object({ cert: z.string(), key: z.string() }),
    /** Host names and addresses. */
    names: z.array(z.string().min(1)).min(1),
  })
  .extend(Timeout.shape);

/** Has the stack's authority sign a new server certificate, with a key of its own. */
await runStep("certificate", Input, async ({ authority, names }, step) => {
  const made = await issueCertificate(authority, names);
  step.say(`made a certificate for ${names.length} names, good until ${made.notAfter.slice(0, 10)}`);
  return made;
});
