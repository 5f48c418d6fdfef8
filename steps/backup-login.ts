import { z } from "zod";
import { makeBackupLogin } from "./lib/backup-login.ts";
import { runStep, Timeout } from "./lib/io.ts";
import { openRoad } from "./lib/reach.ts";
import { noteBucket } from "./lib/snapshot-record.ts";
import { kubectl, Target } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pods: z.array(z.string().min(1)).min(1),
  token: z.string().min(1),
  /** Where Vault asks Kubernetes whose a token is; from inside a cluster always the same. */
  kubernetesHost: z.url().default("https://kubernetes.default.svc"),
  /** The bucket that snapshots go to, as s3://... */
  bucket: z.string().min(1).optional(),
});

/**
 * Has scheduled snapshots log in by their pod's service account, with a policy that may read a snapshot and no more. A
 * bucket outlives the stack, so that it is noted: the keys that open what is in it are not to end with Vault.
 */
await runStep("backup-login", Input, async (input, step) => {
  const { reach, token, kubernetesHost: host } = input;
  const [first = ""] = input.pods;
  const vault = new Vault(await openRoad(input), first, step, token);
  const login = {
    namespace: reach.kind === "kubernetes" ? reach.namespace : "vault",
    host,
    inPod: reach.kind === "kubernetes",
  };
  const how = await until(
    "the login of scheduled snapshots",
    () => makeBackupLogin(vault, login, input),
    step,
    kubectl(input, "get pods"),
  );
  step.say(`the login of scheduled snapshots is ${how}`);
  if (input.bucket !== undefined) await noteBucket(input.stackDir, input.bucket);
  return {};
});
