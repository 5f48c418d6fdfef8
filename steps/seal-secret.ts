import { z } from "zod";
import { NotYet, StepError } from "./lib/errors.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openKube } from "./lib/kube.ts";
import { kubectl, Target } from "./lib/target.ts";
import { until } from "./lib/wait.ts";

/** Without the stack's folder: it works on nothing, and may wait for long. */
const Input = z
  .object({
    reach: Target.shape.reach,
    /** Where the kubeconfig's file lies, for words. */
    folder: z.string().min(1),
    name: z.string().min(1),
    /** Keys that the Secret has to have: environment variables of the nodes, and files. */
    env: z.array(z.string().min(1)),
    files: z.array(z.string().min(1)),
  })
  .extend(Timeout.shape);

/** What is looked at of a value, which is not kept. */
const seen = z.string().transform((base64) => {
  const value = Buffer.from(base64, "base64").toString();
  return { empty: value.trim() === "", padded: value !== value.trim() };
});
const Secret = z.object({ data: z.record(z.string(), seen).optional() });

/** Waits until somebody has made the Secret with what the nodes log in with at their seal. */
await runStep("seal-secret", Input, async ({ reach, folder, name, env, files }, step) => {
  if (reach.kind !== "kubernetes") throw new StepError("a Secret is looked for on Kubernetes only");
  const { kubeconfig, namespace } = reach;
  const kube = await openKube(kubeconfig);
  const where = `Secret ${name} in namespace ${namespace}`;
  const keys = [...env, ...files];
  const said = { reach, stackDir: folder };
  const make = kubectl(
    said,
    `create secret generic ${name} ${keys.map((key) => `--from-file ${key}`).join(" ")}`,
  );
  let told = false;
  const look = async () => {
    const found = await kube.get(`/api/v1/namespaces/${namespace}/secrets/${name}`, Secret, step.signal);
    const missing = keys.filter((key) => found?.data?.[key]?.empty !== false);
    if (missing.length > 0 && !told) step.say(`waits for ${where}, with ${keys.join(", ")}: ${make}`);
    told = true;
    if (found === undefined) throw new NotYet(`there is no ${where}`);
    if (missing.length > 0) throw new NotYet(`${where} has nothing under ${missing.join(", ")}`);
    return found.data ?? {};
  };
  const data = await until(`${where}, with ${keys.join(", ")}`, look, step, make);
  const padded = env.filter((key) => data[key]?.padded);
  if (padded.length > 0)
    throw new StepError(
      `${where} has blanks or a line's end around what is under ${padded.join(", ")}, with which the nodes could not log in. Vault was not changed. Make it anew, without (echo -n, vault -field)`,
      kubectl(said, `delete secret ${name}`),
    );
  step.say(`${where} is there`);
  return { name };
});
