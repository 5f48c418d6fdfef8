/**
 * Declares a step (steps/<name>.ts) as a command resource.
 * A step takes one JSON object on stdin and answers with one on stdout; both are secret here, whatever they hold.
 */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

/** The steps there are; each is a file of steps/. */
export type StepName =
  | "create-cluster"
  | "delete-cluster"
  | "authority"
  | "certificate"
  | "tls-secret"
  | "seal-secret"
  | "keep-keys"
  | "forget-keys"
  | "leave"
  | "identity"
  | "init"
  | "rollout"
  | "unseal"
  | "token"
  | "join"
  | "voter"
  | "verify"
  | "audit"
  | "backup-login"
  | "backup-logout";

export interface StepArgs {
  /** None: the step is about its end alone. */
  step?: StepName;
  /** The step that undoes this one, given the same input. None: nothing to undo once the cluster is gone. */
  undo?: StepName;
  /** Whether making the resource runs the step, too, or nothing; changes do so anyway. It runs unless this says no. */
  runsAtCreate?: boolean;
  /** What the step reads on stdin. */
  input: pulumi.Input<Record<string, unknown>>;
  /** A change of one of these makes the step begin anew (a replacement): another cluster, for instance. */
  triggers: pulumi.Input<pulumi.Input<string>[]>;
  /** What the step depends on beside its input. It is shown in previews, so it must not be secret. */
  facts?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** A run after the first one gets its last answer in PULUMI_COMMAND_STDOUT. Only for one without secrets. */
  keepsAnswer?: boolean;
}

/** A declared step: the resource, and its answer as a secret output. */
export interface DeclaredStep<Answer> {
  resource: command.local.Command;
  answer: pulumi.Output<Answer>;
}

/** Component options do not pass on additionalSecretOutputs or deletedWith: give them for each step in `opts`. */
export function declareStep<Answer>(
  name: string,
  args: StepArgs,
  opts: pulumi.CustomResourceOptions,
): DeclaredStep<Answer> {
  const resource = new command.local.Command(
    name,
    {
      // `exec` leaves no shell between Pulumi and the step, so that an interrupt reaches the step itself.
      ...(args.step && args.runsAtCreate !== false && { create: run(args.step) }),
      ...(args.step && args.runsAtCreate !== undefined && { update: run(args.step) }),
      ...(args.undo && { delete: run(args.undo) }),
      stdin: pulumi.secret(pulumi.jsonStringify(args.input)),
      triggers: args.triggers,
      ...(args.facts && { environment: args.facts }),
      addPreviousOutputInEnv: args.keepsAnswer ?? false,
      // stderr is a step's progress and never holds a secret; stdout may.
      logging: command.local.Logging.Stderr,
    },
    { ...opts, additionalSecretOutputs: ["stdout", "stderr"] },
  );
  // One that has not run yet (runsAtCreate) has printed nothing.
  const answer = resource.stdout.apply((text) => JSON.parse(text || "{}") as Answer);
  return { resource, answer };
}

const run = (step: StepName) => `exec node steps/${step}.ts`;
