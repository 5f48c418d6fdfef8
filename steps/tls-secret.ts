import { z } from "zod";
import { certificateProblems } from "./lib/certificates.ts";
import { NotYet, StepError } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openKube } from "./lib/kube.ts";
import { kubectl, Target } from "./lib/target.ts";
import { tlsSecretOf } from "./lib/tls-secret.ts";
import { until } from "./lib/wait.ts";

/** Without the stack's folder: it works on nothing, and may wait for long. */
const Input = z
  .object({
    reach: Target.shape.reach,
    /** Where the kubeconfig's file lies, for words. */
    folder: z.string().min(1),
    name: z.string().min(1),
    /** What the certificate has to be for. */
    names: z.array(z.string().min(1)).min(1),
  })
  .extend(Timeout.shape);

/** Waits until somebody, such as cert-manager, has made the Secret of Vault's certificate, and looks whether it fits. */
await runStep("tls-secret", Input, async ({ reach, folder, name, names }, step) => {
  if (reach.kind !== "kubernetes") throw new StepError("a Secret is looked for on Kubernetes only");
  const { kubeconfig, namespace } = reach;
  const kube = await openKube(kubeconfig);
  const where = `Secret ${name} in namespace ${namespace}`;
  const said = { reach, stackDir: folder };
  const found = await until(
    `${where}, of type kubernetes.io/tls with tls.crt, tls.key and ca.crt, for ${names.join(", ")}`,
    async () => {
      const found = await tlsSecretOf(kube, namespace, name, step.signal);
      // Whoever makes it may fill it in a second step.
      if (found.cert === "" && found.key === "") throw new NotYet(`${where} is empty`);
      return found;
    },
    step,
    kubectl(
      said,
      `create secret generic ${name} --type kubernetes.io/tls --from-file tls.crt --from-file tls.key --from-file ca.crt`,
    ),
  );
  const problems = certificateProblems(found, names);
  if (problems.length > 0)
    throw new StepError(
      `the certificate of ${where} cannot be used, so Vault was not changed: ${problems.join("; ")}`,
      kubectl(said, `describe secret ${name}`),
    );
  step.say(`${where} fits`);
  return { caCert: found.caCert };
});
